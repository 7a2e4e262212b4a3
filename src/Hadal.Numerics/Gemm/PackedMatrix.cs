using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>A weight matrix W [N, K] brought once into the order in which products with B = Wᵀ read it: panels of sixteen columns, [panel][k][16].</summary>
/// <remarks>
/// The element type stays: bfloat16 weights are half the bytes to read. A product with few rows then streams the panels from memory with lanes over N and
/// k in sequence, which is the order of <see cref="Gemm"/>'s contract.
/// </remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly NativeStorage _storage;

    private PackedMatrix(DType type, int n, int k)
    {
        (Type, N, K) = (type, n, k);
        _storage = new NativeStorage(checked(((long)n + 15) / 16 * 16 * k * type.SizeOf()));
    }

    /// <summary><see cref="DType.F32"/> or <see cref="DType.BF16"/>.</summary>
    public DType Type { get; }

    /// <summary>Output features.</summary>
    public int N { get; }

    /// <summary>Input features.</summary>
    public int K { get; }

    /// <summary>Bytes of the panels.</summary>
    public long ByteLength => _storage.ByteLength;

    /// <summary>Copies a matrix into panels.</summary>
    /// <param name="team">Who copies.</param>
    /// <param name="weights">[n, k] of the given type, row-major.</param>
    /// <param name="type">F32 or BF16.</param>
    /// <param name="stride">Distance between rows in elements, at least <paramref name="k"/>.</param>
    /// <param name="n">Rows: output features.</param>
    /// <param name="k">Columns: input features.</param>
    /// <exception cref="NotSupportedException">Another element type.</exception>
    public static PackedMatrix Pack(ThreadTeam team, void* weights, DType type, nint stride, int n, int k)
    {
        if (type is not (DType.F32 or DType.BF16)) throw new NotSupportedException($"A matrix of {type} cannot be packed; F32 and BF16 can.");
        var packed = new PackedMatrix(type, n, k);
        var job = new PackJob { Source = weights, Destination = packed._storage.Pointer, IsBFloat16 = type == DType.BF16, Stride = stride, N = n, K = k };
        team.Run((n + 15) / 16, ref job);
        return packed;
    }

    /// <summary>C = A·Wᵀ as a problem for <see cref="Gemm"/>, valid until this matrix is disposed.</summary>
    public GemmProblem Problem(float* a, nint lda, int m, float* c, nint ldc, bool accumulate) => new()
    {
        A = a,
        Lda = lda,
        B = _storage.Pointer,
        BType = Type,
        PackedB = true,
        C = c,
        Ldc = ldc,
        M = m,
        N = N,
        K = K,
        Accumulate = accumulate,
    };

    public void Dispose() => _storage.Dispose();

    /// <summary>Where element (k, column) of B lies.</summary>
    /// <param name="k">Row of B.</param>
    /// <param name="column">Column of B.</param>
    /// <param name="depth">Rows of B in all.</param>
    internal static nint Index(int k, int column, int depth) => ((nint)(column / 16) * depth + k) * 16 + column % 16;

    private struct PackJob : ITeamJob
    {
        public void* Source;
        public byte* Destination;
        public bool IsBFloat16;
        public nint Stride;
        public int N;
        public int K;

        public readonly void Execute(int item, int worker)
        {
            int rows = Math.Min(16, N - item * 16);
            nint start = item * 16 * Stride, end = Index(0, item * 16, K);
            if (!IsBFloat16)
            {
                GemmPacking<Lanes512>.Transpose((float*)Source + start, Stride, rows, K, (float*)Destination + end);
                return;
            }

            var scratch = GemmScratch.Current;
            const int Depth = GemmScratch.RightLength / 16;
            for (int k = 0; k < K; k += Depth)
            {
                int depth = Math.Min(Depth, K - k);
                GemmPacking<Lanes512>.TransposeBFloat16((ushort*)Source + start + k, Stride, rows, depth, scratch.Right, scratch.Widened);
                // Exact: the values were bfloat16 before.
                BFloat16.Narrow(scratch.Right, (ushort*)Destination + end + k * 16, depth * 16);
            }
        }
    }
}
