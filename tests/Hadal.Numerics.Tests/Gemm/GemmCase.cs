using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Gemm;

/// <summary>Operands with gaps between rows, and the result that the contract demands, computed by a loop that is the contract.</summary>
internal sealed unsafe class GemmCase : IDisposable
{
    private const float Untouched = 12345.678f;
    private readonly NativeStorage _memory;
    private readonly float* _a, _aT, _b, _bT, _c;
    private readonly ushort* _bCodes, _bTCodes;
    private readonly float[] _initial, _expected;
    private readonly int _gap;
    private readonly bool _accumulate;

    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Length of a chain.</param>
    /// <param name="seed">For the values.</param>
    /// <param name="bfloat16">B has values that bfloat16 can hold, so that both element types give the same product.</param>
    public GemmCase(int m, int n, int k, int seed, bool bfloat16 = false)
    {
        (M, N, K) = (m, n, k);
        var random = new Random(seed);
        _gap = random.Next(4);
        _accumulate = random.Next(2) == 1;
        long cells = (long)m * (k + _gap) + (long)k * (m + _gap) + (long)k * (n + _gap) + (long)n * (k + _gap) + (long)m * (n + _gap);
        _memory = new NativeStorage((cells + (long)k * (n + _gap) + (long)n * (k + _gap)) * sizeof(float));
        _a = (float*)_memory.Pointer;
        _aT = _a + m * (k + _gap);
        _b = _aT + k * (m + _gap);
        _bT = _b + k * (n + _gap);
        _c = _bT + n * (k + _gap);
        _bCodes = (ushort*)(_c + m * (n + _gap));
        _bTCodes = _bCodes + k * (n + _gap);
        for (float* p = _a; p < _c; p++) *p = float.NaN;
        for (int i = 0; i < m; i++)
        {
            for (int x = 0; x < k; x++) _a[i * (k + _gap) + x] = _aT[x * (m + _gap) + i] = Value(random);
        }

        for (int x = 0; x < k; x++)
        {
            for (int j = 0; j < n; j++)
            {
                float value = Value(random);
                ushort code = BFloat16.FromSingle(value);
                if (bfloat16) value = BFloat16.ToSingle(code);
                _b[x * (n + _gap) + j] = _bT[j * (k + _gap) + x] = value;
                _bCodes[x * (n + _gap) + j] = _bTCodes[j * (k + _gap) + x] = code;
            }
        }

        _initial = new float[m * (n + _gap)];
        _expected = new float[m * (n + _gap)];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n + _gap; j++)
            {
                float sum = j >= n ? Untouched : _accumulate ? Value(random) : 0;
                _initial[i * (n + _gap) + j] = j >= n || _accumulate ? sum : float.NaN;
                for (int x = 0; x < k && j < n; x++) sum = MathF.FusedMultiplyAdd(_a[i * (k + _gap) + x], _b[x * (n + _gap) + j], sum);
                _expected[i * (n + _gap) + j] = sum;
            }
        }
    }

    public int M { get; }

    public int N { get; }

    public int K { get; }

    public GemmProblem Problem(bool transposeA, bool transposeB, DType type = DType.F32) => new()
    {
        A = transposeA ? _aT : _a,
        Lda = (transposeA ? M : K) + _gap,
        TransposeA = transposeA,
        B = type == DType.BF16 ? (transposeB ? _bTCodes : _bCodes) : transposeB ? _bT : _b,
        BType = type,
        Ldb = (transposeB ? K : N) + _gap,
        TransposeB = transposeB,
        C = _c,
        Ldc = N + _gap,
        M = M,
        N = N,
        K = K,
        Accumulate = _accumulate,
    };

    /// <summary>Puts back what C held at first.</summary>
    public void Reset() => _initial.CopyTo(new Span<float>(_c, _initial.Length));

    /// <summary>Every bit of C is as expected, and the gaps between its rows are untouched.</summary>
    public bool IsExact()
    {
        var actual = new ReadOnlySpan<uint>(_c, _expected.Length);
        for (int i = 0; i < actual.Length; i++)
        {
            if (actual[i] != BitConverter.SingleToUInt32Bits(_expected[i])) return false;
        }

        return true;
    }

    public void Dispose() => _memory.Dispose();

    // All magnitudes, so that every rounding matters, with zeros of both signs among them.
    private static float Value(Random random) => random.Next(20) switch
    {
        0 => 0f,
        1 => -0f,
        2 => (random.NextSingle() - 0.5f) * 1e-38f,
        3 => (random.NextSingle() - 0.5f) * 1e6f,
        _ => random.NextSingle() * 2 - 1,
    };
}
