namespace Alt.Model.Decoding;

/// <summary>A row of logits: the next token's after one sequence.</summary>
/// <param name="row">Which of the places that were given last.</param>
/// <param name="worker">Which of the threads that run side by side, from 0.</param>
internal delegate void LogitsAction(int row, int worker, ReadOnlySpan<float> logits);

/// <summary>
/// Reads tokens into a cache of keys and values and gives the logits that follow them: by kernels of ours on a processor, by libtorch on a
/// GPU.
/// </summary>
internal interface IDecoder : IDisposable
{
    /// <summary>How many sequences fit into the memory at once.</summary>
    int Slots { get; }

    /// <summary>How many threads look at logits side by side.</summary>
    int Workers { get; }

    /// <summary>Reads whole inputs.</summary>
    /// <param name="inputs">Each is read once.</param>
    /// <param name="places">The slots to fill, each with which of the inputs.</param>
    void Read(IReadOnlyList<int[]> inputs, ReadOnlySpan<(int Slot, int Input)> places);

    /// <summary>Reads one more token of each of some sequences.</summary>
    /// <param name="tokens">One for each place.</param>
    /// <param name="places">The sequences' slots, and the tokens' positions.</param>
    void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<(int Slot, int Position)> places);

    /// <summary>Looks at the logits after each of the places last read, on all cores.</summary>
    void ForEach(LogitsAction action);

    /// <summary>Gives a slot's memory back.</summary>
    void Release(int slot);
}
