using BenchmarkDotNet.Attributes;
using Hadal.Numerics;

namespace Hadal.Benchmarks;

/// <summary>Rows times arranged weights of 2048 by 2048. Sixteen matrices take turns, so that weights come from memory as they do in a model.</summary>
public class PackedProduct
{
    private const int Width = 2048, Matrices = 16;
    private readonly PackedWeights[] _weights = new PackedWeights[Matrices];
    private KernelLab _lab = null!;
    private Tensor _x, _y;
    private int _turn;

    [Params(1, 4, 16, 128, 512)]
    public int Rows { get; set; }

    [ParamsAllValues]
    public WeightFormat Format { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _lab = new KernelLab();
        (_x, _y) = (_lab.Filled(Rows, Width), _lab.Empty(Rows, Width));
        for (int i = 0; i < Matrices; i++) _weights[i] = _lab.Packed(Format, 1, Width, Width);
    }

    [GlobalCleanup]
    public void Release() => _lab.Dispose();

    [Benchmark]
    public void MatMul() => _lab.Backend.MatMul(_x, _weights[_turn++ % Matrices], _y);
}
