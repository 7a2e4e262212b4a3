using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>An FP32 weight matrix W [N, K] brought once into the order in which products with B = Wᵀ read it: panels of sixteen columns, [panel][k][16].</summary>
/// <remarks>A product with few rows streams the panels from memory with lanes over N and k in sequence, which is the order of <see cref="Gemm"/>'s contract.</remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly NativeStorage _storage;

    /// <param name="n">Output features.</param>
    /// <param name="k">Input features.</param>
    public PackedMatrix(int n, int k)
    {
        (N, K) = (n, k);
        _storage = new NativeStorage(BytesFor(n, k));
    }

    /// <summary>Output features.</summary>
    public int N { get; }

    /// <summary>Input features.</summary>
    public int K { get; }

    /// <summary>What holds the panels.</summary>
    public NativeStorage Memory => _storage;

    /// <summary>Bytes of the panels.</summary>
    public long ByteLength => _storage.ByteLength;

    /// <summary>Bytes that the panels of a matrix take.</summary>
    public static long BytesFor(int n, int k) => checked(((long)n + 15) / 16 * 16 * k * sizeof(float));

    /// <summary>Copies a matrix into the panels.</summary>
    /// <param name="team">Who copies; null for the calling thread alone.</param>
    /// <param name="weights">[N, K].</param>
    public void Fill(ThreadTeam? team, in Matrix weights)
    {
        var job = new PackJob { Source = weights.Pointer, Destination = (float*)_storage.Pointer, Stride = weights.Stride, N = N, K = K };
        ThreadTeam.Run(team, (N + 15) / 16, ref job);
    }

    /// <summary>C = A·Wᵀ, or some columns of it from a multiple of sixteen on, as a problem for <see cref="Gemm"/>, valid until this matrix is disposed.</summary>
    public GemmProblem Problem(float* a, nint lda, int m, float* c, nint ldc, bool accumulate, int firstColumn, int columns) => new()
    {
        A = a,
        Lda = lda,
        B = _storage.Pointer + Index(0, firstColumn, K) * sizeof(float),
        BType = DType.F32,
        PackedB = true,
        C = c,
        Ldc = ldc,
        M = m,
        N = columns,
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
        public float* Source;
        public float* Destination;
        public nint Stride;
        public int N;
        public int K;

        public readonly void Execute(int item, int worker) => GemmPacking<Lanes512>.Transpose(
            Source + item * 16 * Stride, Stride, Math.Min(16, N - item * 16), K, Destination + Index(0, item * 16, K));
    }
}
