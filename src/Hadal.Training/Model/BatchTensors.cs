using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Layers;

namespace Hadal.Training.Model;

/// <summary>A packed batch as one depth of the model sees it: ids, labels, positions and key ranges of B·(L - k) rows.</summary>
/// <remarks>Depth 0 is the main model. Host buffers are kept, so preparing a batch allocates nothing.</remarks>
internal sealed class BatchTensors
{
    private readonly int _depth;
    private int[] _ids = [], _labels = [], _positions = [], _starts = [], _ends = [];

    public BatchTensors(int depth) => _depth = depth;

    /// <summary>Rows of each sequence: L - k.</summary>
    public int Length { get; private set; }

    /// <summary>Rows whose label counts.</summary>
    public int Counted { get; private set; }

    /// <summary>I32: token i + k of each row.</summary>
    public Tensor Ids { get; private set; }

    /// <summary>I32: token i + k + 1 of each row, or -1 if it does not count.</summary>
    public Tensor Labels { get; private set; }

    /// <summary>The likeliest token of every row, where an evaluation looked for it.</summary>
    public int[] Choices { get; private set; } = [];

    /// <summary>Whether the label of a row counts.</summary>
    public bool Counts(int row) => _labels[row] >= 0;

    /// <summary>Fills the context and the tensors, in the context's arena.</summary>
    public void Prepare(PackedBatch batch, MicroBatchContext c)
    {
        Length = batch.Length - _depth;
        int rows = batch.Sequences * Length;
        if (_ids.Length != rows)
        {
            _ids = new int[rows];
            _labels = new int[rows];
            _positions = new int[rows];
            _starts = new int[rows];
            _ends = new int[rows];
            Choices = new int[rows];
        }

        Counted = 0;
        for (int b = 0; b < batch.Sequences; b++)
        {
            int documentStart = 0;
            for (int i = 0; i < Length; i++)
            {
                int row = b * Length + i, token = b * (batch.Length + 1) + i + _depth;
                if (i == 0) documentStart = batch.DocumentStart(b, 0);
                else if (!batch.SameDocument(b, i - 1, 1)) documentStart = i;
                _ids[row] = batch.Tokens[token];
                bool counts = batch.IsLabel(b, i, _depth + 1);
                _labels[row] = counts ? batch.Tokens[token + 1] : -1;
                Counted += counts ? 1 : 0;
                _positions[row] = i;
                _starts[row] = b * Length + documentStart;
                _ends[row] = row + 1;
            }
        }

        Ids = Write(c, _ids);
        Labels = Write(c, _labels);
        c.Positions = Write(c, _positions);
        c.Starts = Write(c, _starts);
        c.Ends = Write(c, _ends);
        c.SequenceLength = Length;
    }

    private static Tensor Write(MicroBatchContext c, int[] values)
    {
        var tensor = c.Arena.Allocate(DType.I32, new Shape(values.Length));
        c.Backend.Write(values, tensor);
        return tensor;
    }
}
