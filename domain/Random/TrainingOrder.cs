namespace Alt.Domain;

/// <summary>
/// Which examples each training step draws: every epoch goes through all examples in an order of its own, and a batch takes the next ones,
/// across the end of an epoch where it must. A pure function of its arguments.
/// </summary>
public sealed class TrainingOrder(long seed, int iteration, int examples, int batchSize)
{
    private (int Epoch, int[] Order) _current = (-1, []);

    /// <summary>Positions of the step's examples, in the order of drawing.</summary>
    /// <param name="step">From 0.</param>
    public int[] Batch(int step)
    {
        var batch = new int[batchSize];
        for (var i = 0; i < batch.Length; i++)
        {
            var drawn = (long)step * batch.Length + i;
            var epoch = (int)(drawn / examples);
            if (_current.Epoch != epoch)
            {
                _current = (epoch, Philox.Permutation(new RandomKey(seed, iteration, Stage.Training, epoch), examples));
            }

            batch[i] = _current.Order[(int)(drawn % examples)];
        }

        return batch;
    }
}
