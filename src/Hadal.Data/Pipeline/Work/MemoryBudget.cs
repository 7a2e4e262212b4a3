using System.Globalization;

namespace Hadal.Data.Pipeline.Work;

/// <summary>How much memory a build may use, and how many workers fit into it. What does not fit in memory is on the disk already; the budget bounds buffers and documents at hand.</summary>
public sealed class MemoryBudget
{
    // Measured with every step switched on: the runtime, the vocabulary and code of an idle build; buffers of a worker; bytes that are held for each byte of a document, with the
    // text before and behind a step, its tokens, and what the collector has not come to yet.
    private const long Base = 176L << 20, Worker = 64L << 20, Native = 96L << 20;
    private const int ForEachByte = 20, SmallPart = 8;
    private readonly Lock _large = new();
    private readonly int _largeFrom;

    private MemoryBudget(long bytes, int largeFrom) => (Bytes, _largeFrom) = (bytes, largeFrom);

    /// <summary>The budget, in bytes.</summary>
    public long Bytes { get; }

    /// <summary>What a build is given that names no budget: 1 GiB, or more where documents may be so long that it has to be more.</summary>
    /// <param name="maximumDocumentBytes">The longest document.</param>
    public static long Default(int maximumDocumentBytes) => Math.Max(1L << 30, Needed(maximumDocumentBytes, 2));

    /// <summary>Makes the collector of this process keep to a budget from now on: for programs that do nothing but build.</summary>
    /// <param name="bytes">Of memory, all in all.</param>
    public static void LimitProcess(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(bytes, Native);
        AppContext.SetData("GCHeapHardLimit", (ulong)(bytes - Native));
        GC.RefreshMemoryLimit();
    }

    /// <summary>A budget and the workers that fit into it.</summary>
    /// <param name="bytes">Of memory, all in all.</param>
    /// <param name="maximumDocumentBytes">The longest document.</param>
    /// <param name="workers">So many are wished for.</param>
    /// <param name="allowed">So many there can be.</param>
    /// <exception cref="DataException">Not even one worker fits.</exception>
    public static MemoryBudget Of(long bytes, int maximumDocumentBytes, int workers, out int allowed)
    {
        long least = Needed(maximumDocumentBytes, 1);
        if (bytes < least)
        {
            throw new DataException(string.Create(CultureInfo.InvariantCulture,
                $"A budget of {Megabytes(bytes)} MB is too small: with documents of up to {Megabytes(maximumDocumentBytes)} MB a build needs {Megabytes(least)} MB. Give it more, or set a smaller \"maximum_document_bytes\"."));
        }

        allowed = workers;
        while (allowed > 1 && Needed(maximumDocumentBytes, allowed) > bytes) allowed--;
        return new MemoryBudget(bytes, maximumDocumentBytes / SmallPart);
    }

    /// <summary>Waits until a document may be worked on: long ones one at a time, so that they do not all come together.</summary>
    internal Turn Enter(string text)
    {
        if (text.Length <= _largeFrom) return default;
        _large.Enter();
        return new Turn(_large);
    }

    private static long Needed(int maximumDocumentBytes, int workers) => Base + (long)ForEachByte * maximumDocumentBytes + workers * (Worker + (long)ForEachByte * maximumDocumentBytes / SmallPart);

    private static long Megabytes(long bytes) => (bytes + 999_999) / 1_000_000;

    /// <summary>The turn of a long document, until it is disposed of.</summary>
    internal readonly struct Turn(Lock? turn) : IDisposable
    {
        public void Dispose() => turn?.Exit();
    }
}
