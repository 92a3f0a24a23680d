namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>
    /// A classifier or reward model on this machine, as transformers saves it: BERT, RoBERTa, or GPT-2 with a reward head.
    /// </summary>
    public sealed record Checkpoint : JudgeConfig
    {
        // A pair takes up to four special tokens, and each text should have one of its own.
        private const int LeastLength = 6;

        /// <summary>
        /// A folder with config.json, a tokenizer and the weights: model.safetensors, pytorch_model.bin, or shards of either with their
        /// index.
        /// </summary>
        public string Folder { get; init; } = "";

        /// <summary>
        /// The class whose probability is the reward, by name or number: softmax, or sigmoid where config.json's problem_type is
        /// multi_label_classification.
        /// Null where the model has one output only, whose raw score is the reward.
        /// </summary>
        public string? Label { get; init; }

        /// <summary>The class is undesired: the reward is 1 - its probability, or minus the raw score.</summary>
        public bool Unwanted { get; init; }

        /// <summary>Judge the response together with its prompt rather than alone: as a pair of texts, for GPT-2 as one text.</summary>
        public bool WithPrompt { get; init; }

        /// <summary>
        /// Most tokens that are read, special ones included; 0 is the model's limit. A longer pair loses its ends, for GPT-2 its
        /// start.
        /// </summary>
        public int MaxLength { get; init; }

        /// <summary>Texts per batch. The batch decides how sums are rounded, so it is part of the result.</summary>
        public int BatchSize { get; init; } = 32;

        public override IEnumerable<(string Key, string Folder)> Folders(string key) => [($"{key}.folder", Folder)];

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(
                    Folder.Length == 0 ? [$"{key}.folder is missing, expected a folder with config.json, the weights and a tokenizer"] : [])
                .Concat(MaxLength is 0 or >= LeastLength
                    ? []
                    : [$"{key}.maxLength is {MaxLength}, expected 0 (the model's own) or at least {LeastLength}"])
                .Concat(BatchSize >= 1 ? [] : [$"{key}.batchSize is {BatchSize}, expected 1 or more"]);
    }
}
