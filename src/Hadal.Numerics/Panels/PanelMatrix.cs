using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>A weight matrix W [N, K] in panels of sixteen rows (columns of B = Wᵀ), each [block][codes, scales, minima].</summary>
internal sealed unsafe class PanelMatrix : IDisposable
{
    private readonly NativeStorage _storage;
    private readonly long _offset;
    private readonly bool _shared;

    /// <summary>A matrix with memory of its own.</summary>
    /// <param name="format">How it lies.</param>
    /// <param name="n">Output features.</param>
    /// <param name="k">Input features.</param>
    public PanelMatrix(PanelFormat format, int n, int k)
    {
        (Format, N, K) = (format, n, k);
        _storage = new NativeStorage(BytesFor(format, n, k));
    }

    /// <summary>A matrix in memory that others share.</summary>
    /// <param name="format">How it lies.</param>
    /// <param name="n">Output features.</param>
    /// <param name="k">Input features.</param>
    /// <param name="shared">The memory; whoever made it disposes it.</param>
    /// <param name="offset">Where the matrix starts, a multiple of 64.</param>
    public PanelMatrix(PanelFormat format, int n, int k, NativeStorage shared, long offset)
    {
        (Format, N, K) = (format, n, k);
        (_storage, _offset, _shared) = (shared, offset, true);
    }

    /// <summary>How it lies.</summary>
    public PanelFormat Format { get; }

    /// <summary>Output features.</summary>
    public int N { get; }

    /// <summary>Input features.</summary>
    public int K { get; }

    /// <summary>What holds the panels.</summary>
    public NativeStorage Memory => _storage;

    /// <summary>Bytes of the panels.</summary>
    public long ByteLength => BytesFor(Format, N, K);

    /// <summary>First panel.</summary>
    public byte* Panels => _storage.Pointer + _offset;

    /// <summary>Bytes that a matrix takes.</summary>
    public static long BytesFor(in PanelFormat format, int n, int k) => checked(((long)n + 15) / 16 * format.PanelBytes(k));

    /// <summary>Codes and arranges all rows.</summary>
    /// <param name="team">Who works; null for the calling thread alone.</param>
    /// <param name="parts">Rows in order, <see cref="N"/> in all.</param>
    /// <param name="count">How many parts.</param>
    public void Fill(ThreadTeam? team, WeightRows* parts, int count)
    {
        var job = new FillJob { Parts = parts, Count = count, Panels = Panels, Format = Format, N = N, K = K };
        ThreadTeam.Run(team, (N + 15) / 16, ref job);
    }

    /// <summary>C = A·Wᵀ with coded activations.</summary>
    public PanelProblem Problem(in CodedRows a, int firstRow, int rows, float* c, nint ldc, bool accumulate) =>
        PanelProblem.Of(Format, Panels, N, K, a, firstRow, rows, c, ldc, accumulate);

    public void Dispose()
    {
        if (!_shared) _storage.Dispose();
    }

    private struct FillJob : ITeamJob
    {
        public WeightRows* Parts;
        public int Count;
        public byte* Panels;
        public PanelFormat Format;
        public int N;
        public int K;

        public readonly void Execute(int item, int worker)
        {
            WeightRow* rows = stackalloc WeightRow[16];
            int count = Math.Min(16, N - item * 16);
            for (int r = 0; r < count; r++) rows[r] = Row(item * 16 + r);
            PanelPacking.Run(Format, rows, count, K, Panels + item * Format.PanelBytes(K));
        }

        private readonly WeightRow Row(int index)
        {
            int part = 0;
            while (index >= Parts[part].Count) index -= Parts[part++].Count;
            return Parts[part].Row(index);
        }
    }
}
