#!/usr/bin/python3
"""Writes tests/Golden/encoders: tiny random checkpoints of BERT, RoBERTa, Contriever and reward models over decoders, and what transformers makes of texts.

The checkpoints are as transformers saves them; tokens, logits and embeddings are its own, in double precision. Needs Python with torch and
transformers, such as Debian sid's packages python3-torch and python3-transformers (written with transformers 5.12, tokenizers 0.23, torch 2.14).

    /usr/bin/python3 tests/Golden/encoder_reference.py
"""
import json
import pathlib

import torch
from tokenizers import ByteLevelBPETokenizer
from tokenizers.processors import RobertaProcessing
from transformers import (
    BertConfig, BertForSequenceClassification, BertModel, BertTokenizer, GPT2Config, GPT2ForSequenceClassification, GPTJConfig, GPTJModel,
    GPTJPreTrainedModel, LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification)

HERE = pathlib.Path(__file__).parent / "encoders"
SHAPE = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20, "max_position_embeddings": 40}

# (first, second or None, most tokens)
SEQUENCES = [
    ("The cat sat on the mat.", None, 40),
    ("What did the cat do?", " It sat on the mat, and slept.", 40),
    ("a", None, 40),
    ("a cat, a mat and another cat on another mat", " the cat sat", 12),
    ("the cat", " a cat, a mat and another cat on another mat", 13),
    ("a cat, a mat and another cat on another mat", " and one more cat, one more mat and one more of both", 11),
    ("Cats? No: one cat and one mat, one after another, on and on and on.", None, 9),
]

# What makes tokenizers differ: white space, control characters, accents, scripts, punctuation, length, what looks like a special token.
TEXTS = [
    "", " ", "the cat sat", "The CAT sat", "  two  spaces\tand\na line ", "it's over-rated... (really!) [SEP] <s> </s> [CLS]",
    "caf\u00e9 cafe\u0301 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m \u212bngstr\u00f6m", "\u0130stanbul I\u0307stanbul Stra\u00dfe \u1e9e", "\u01c4 \u01c5 \u01c6 \ufb01 \u212a \u2126 \u03a9",
    "\u4e2d\u6587 and \u65e5\u672c\u8a9e\u3067\u3059 \U00020000\U0002a700 \uf900 \U0002f800", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \uac00\uac01", "\u03b1\u03a3 \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u0391\u0301",
    "\u041f\u0440\u0438\u0432\u0435\u0442 \u0439 \u0438\u0306 \u0451", "\U0001f600 \U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f970 \u2764\ufe0f", "zero\u200bwidth soft\u00adhyphen \ufeffbom \u2028line \u00a0nbsp\u3000wide",
    "\x00null \x07bell \x7fdelete \x85next \ufffdreplaced \ue000private", "a" * 100, "a" * 101, "\u00e9" * 100, "\U0001f600" * 101, "cat" * 40, "unaffable xyzzy q\u00fcux",
    "$5 + 3% = ~8^2 `x|y` \u20ac9 \u00a31 \u00bfqu\u00e9? \u201cquoted\u201d \u2014 dash\u2026", "\u0915\u094d\u0937\u093f \u0e01\u0e33 \u0625\u0650\u0646\u0651 \u05e9\u05c1\u05dc\u05d5\u05dd", "1st 22nd \u00bd \u2167 \u0663",
    "\u1e69 \u1e63\u0307 s\u0323\u0307 s\u0307\u0323", "http://example.org/a_b?c=d&e=f#g", "\ud55c" * 34, "##ing ing running",
]


def vocabulary():
    letters = [chr(c) for c in range(33, 127)]
    words = "the cat cats sat on mat and what did do it slept one more of both after another no caf cafe over rated two spaces line affable run able ex ample org".split()
    others = list("\u00e9\u00c9\u00fc\u00df\u0131\u4e2d\u6587\u65e5\u672c\u1112\u1161\u11ab\u1100\u03b1\u03c3\u03c9\u03a3\u0438\u043f\u0440\u20ac\u201c\u2026\u2014\u0915\u0937\u00bd\U0001f600\U0001f44d\U0001f970\u8c48\u4e3d")
    parts = ["ing", "ning", "st", "nd", "s", "e", "at", "a", "cat"] + [chr(c) for c in range(97, 123)] + [str(d) for d in range(10)] + others
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + words + others + ["##" + p for p in parts]
    return list(dict.fromkeys(tokens))


def randomise(model, seed):
    """Weights far from the usual small ones, so that no term is lost in rounding."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3 + (1 if "orm.weight" in name or "ln_" in name and name.endswith("weight") else 0))
    return model.eval()


def encode(tokenizer, first, second, limit, side="right"):
    tokenizer.truncation_side = side
    return tokenizer(first, second, truncation="longest_first", max_length=limit, split_special_tokens=True, return_tensors="pt")


def tokens(tokenizer):
    return [tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"] for text in TEXTS]


def classify(name, model, tokenizer):
    model.save_pretrained(HERE / name)
    tokenizer.save_pretrained(HERE / name)
    rows = []
    for first, second, limit in SEQUENCES:
        inputs = encode(tokenizer, first, second, limit)
        rows.append({"ids": inputs["input_ids"][0].tolist(), "values": model.double()(**inputs).logits[0].tolist()})
    return {"sequences": rows, "tokens": tokens(tokenizer)}


def bert(vocab):
    config = BertConfig(vocab_size=len(vocab), id2label={0: "bad", 1: "middling", 2: "good"}, label2id={"bad": 0, "middling": 1, "good": 2}, problem_type="single_label_classification", **SHAPE)
    return classify("bert", randomise(BertForSequenceClassification(config), 1), BertTokenizer(vocab={t: i for i, t in enumerate(vocab)}))


def cased(vocab):
    """The same vocabulary without lower case, as vocab.txt."""
    return {"tokens": tokens(BertTokenizer(vocab={t: i for i, t in enumerate(vocab)}, do_lower_case=False))}


def contriever(vocab):
    """A plain BertModel, as facebook/contriever is, with the tokenizer as vocab.txt; embeddings are means over all tokens, [CLS] and [SEP] included."""
    model = randomise(BertModel(BertConfig(vocab_size=len(vocab), **SHAPE)), 2)
    model.save_pretrained(HERE / "contriever")
    tokenizer = BertTokenizer(vocab={t: i for i, t in enumerate(vocab)})
    (HERE / "contriever" / "vocab.txt").write_text("".join(t + "\n" for t in vocab), encoding="utf-8")
    (HERE / "contriever" / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": 512}) + "\n")
    rows = []
    for first, _, limit in SEQUENCES:
        inputs = encode(tokenizer, first, None, limit, "left")
        rows.append({"ids": inputs["input_ids"][0].tolist(), "values": model.double()(**inputs).last_hidden_state[0].mean(0).tolist()})
    return {"sequences": rows}


def byte_level(special):
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([s for first, second, _ in SEQUENCES for s in (first, second or "")], vocab_size=256 + len(special) + 60, min_frequency=2, special_tokens=special, show_progress=False)
    return trained


def roberta():
    trained = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])._tokenizer
    trained.post_processor = RobertaProcessing(("</s>", trained.token_to_id("</s>")), ("<s>", trained.token_to_id("<s>")), True, False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained, bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>")
    config = RobertaConfig(vocab_size=trained.get_vocab_size(), num_labels=1, type_vocab_size=1, layer_norm_eps=1e-5, **SHAPE | {"max_position_embeddings": 42})
    return classify("roberta", randomise(RobertaForSequenceClassification(config), 3), tokenizer)


def causal(name, seed, create, score):
    """A reward model over a decoder: its head reads the last token. Of what is too long the start goes."""
    trained = byte_level(["<|endoftext|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    end = trained.token_to_id("<|endoftext|>")
    model = randomise(create({"vocab_size": trained.get_vocab_size(), "bos_token_id": end, "eos_token_id": end}, end), seed)
    model.save_pretrained(HERE / name)
    tokenizer.save_pretrained(HERE / name)
    rows = []
    for first, second, limit in SEQUENCES:
        inputs = encode(tokenizer, first + (second or ""), None, limit, "left")
        rows.append({"ids": inputs["input_ids"][0].tolist(), "values": score(model.double(), inputs["input_ids"])})
    return {"sequences": rows}


def classifier_score(model, ids):
    return model(input_ids=ids).logits[0].tolist()


def gpt2():
    return causal("gpt2-reward", 4, lambda vocabulary, end: GPT2ForSequenceClassification(
        GPT2Config(n_positions=40, n_embd=12, n_layer=2, n_head=3, num_labels=1, pad_token_id=end, **vocabulary)), classifier_score)


def llama():
    shape = SHAPE | {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2}
    return causal("llama-reward", 5, lambda vocabulary, end: LlamaForSequenceClassification(
        LlamaConfig(num_labels=1, pad_token_id=end, **shape, **vocabulary)), classifier_score)


class ValueHeadModel(GPTJPreTrainedModel):
    """As the reward model of CarperAI's trlx examples: the trunk, and a linear head without bias named v_head; the config is the language model's."""

    def __init__(self, config):
        super().__init__(config)
        self.transformer = GPTJModel(config)
        self.v_head = torch.nn.Linear(config.n_embd, 1, bias=False)
        self.post_init()

    def forward(self, ids):
        return self.v_head(self.transformer(input_ids=ids).last_hidden_state)


def gptj():
    def create(vocabulary, _):
        return ValueHeadModel(GPTJConfig(n_positions=40, n_embd=16, n_layer=2, n_head=2, rotary_dim=4, tie_word_embeddings=False, **vocabulary))

    values = causal("gptj-reward", 6, create, lambda model, ids: model(ids)[0, -1].tolist())
    config = json.loads((HERE / "gptj-reward" / "config.json").read_text())
    (HERE / "gptj-reward" / "config.json").write_text(json.dumps(config | {"architectures": ["GPTJForCausalLM"]}, indent=2) + "\n")
    return values


def main():
    HERE.mkdir(exist_ok=True)
    vocab = vocabulary()
    expected = {
        "inputs": [{"first": first, "second": second, "limit": limit} for first, second, limit in SEQUENCES],
        "texts": TEXTS, "bert": bert(vocab), "cased": cased(vocab), "contriever": contriever(vocab), "roberta": roberta(), "gpt2-reward": gpt2(),
        "llama-reward": llama(), "gptj-reward": gptj(),
    }
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
