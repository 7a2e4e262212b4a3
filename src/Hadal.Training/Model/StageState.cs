using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Layers;

namespace Hadal.Training.Model;

/// <summary>What a stage keeps of one micro-batch from its forward to its weight gradients. Used again for the next micro-batch when that is done.</summary>
internal sealed class StageState : IDisposable
{
    /// <param name="backend">Where it is.</param>
    /// <param name="blocks">Decoder layers of the stage.</param>
    /// <param name="depths">1, and the MTP modules of the stage.</param>
    /// <param name="context">Makes the context of a depth in given kept memory.</param>
    public StageState(IBackend backend, int blocks, int depths, Func<Arena, MicroBatchContext> context)
    {
        Arena = new Arena(backend);
        Blocks = new DecoderBlock.State[blocks];
        for (int l = 0; l < blocks; l++) Blocks[l] = new DecoderBlock.State();
        Mtp = new MtpModule.State[depths - 1];
        for (int k = 0; k < Mtp.Length; k++) Mtp[k] = new MtpModule.State();
        Depths = new Depth[depths];
        for (int k = 0; k < depths; k++) Depths[k] = new Depth(k, context(Arena));
    }

    /// <summary>Memory of what is kept.</summary>
    public Arena Arena { get; }

    public DecoderBlock.State[] Blocks { get; }

    public MtpModule.State[] Mtp { get; }

    public RmsNormLayer.State FinalNorm { get; } = new();

    /// <summary>The main model, and each MTP module of the stage.</summary>
    public Depth[] Depths { get; }

    /// <summary>[B·L, D]: the residual stream. Before the forward of a stage that is not the first, what the stage before sent; behind it, what goes to the next.</summary>
    public Tensor Stream { get; set; }

    /// <summary>[B·L, D]: the gradient for the stream. Before the backward of a stage that is not the last, what the stage behind sent; after it, what goes to the one before.</summary>
    public Tensor DStream { get; set; }

    /// <summary>Whether there will be a backward.</summary>
    public bool IsTraining { get; private set; }

    /// <summary>Forgets the micro-batch before and takes another.</summary>
    /// <param name="batch">Tokens of the micro-batch; looked at in this call only.</param>
    /// <param name="balanceScale">α over the sequences of the global batch.</param>
    /// <param name="isTraining">Whether there will be a backward, and loads count.</param>
    /// <param name="width">D.</param>
    public void Prepare(PackedBatch batch, float balanceScale, bool isTraining, int width)
    {
        Arena.Reset();
        IsTraining = isTraining;
        foreach (var depth in Depths)
        {
            var c = depth.Context;
            c.BalanceScale = balanceScale;
            c.CountsLoad = c.KeepsActivations = isTraining;
            c.DefersWeights = false;
            depth.Batch.Prepare(batch, c);
        }

        Stream = Arena.Matrix(Depths[0].Batch.Ids.Count, width);
        DStream = default;
    }

    /// <summary>Memory for the gradient that the stage behind sends.</summary>
    public Tensor MakeDStream() => DStream = Arena.Matrix(Stream.Rows, Stream.Columns);

    /// <summary>Chooses the temporary memory of the part that comes next, and whether weight gradients come later.</summary>
    public void Use(Arena scratch, bool defersWeights)
    {
        foreach (var depth in Depths) (depth.Context.Scratch, depth.Context.DefersWeights) = (scratch, defersWeights);
    }

    public void Dispose() => Arena.Dispose();

    /// <summary>One depth of prediction: 0 is the main model, k the MTP module that predicts k tokens further.</summary>
    public sealed class Depth(int depth, MicroBatchContext context)
    {
        public MicroBatchContext Context { get; } = context;

        public BatchTensors Batch { get; } = new(depth);

        /// <summary>[B·(L - k), D]: rows for the head, their gradients; [B·(L - k)]: losses, and in an evaluation the likeliest tokens.</summary>
        public Tensor Hidden, DHidden, RowLosses, Choices;
    }
}
