using Hadal.Numerics;

namespace Hadal.Benchmarks;

/// <summary>A backend on all processors with tensors of small numbers.</summary>
internal sealed class KernelLab : IDisposable
{
    private readonly Arena _arena;
    private readonly List<PackedWeights> _packed = [];
    private readonly Random _random = new(1);

    public KernelLab() => _arena = new Arena(Backend);

    public IBackend Backend { get; } = new CpuBackend();

    public Tensor Empty(long rows, long columns) => _arena.Matrix(rows, columns);

    public Tensor Filled(long rows, long columns)
    {
        var values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++) values[i] = 0.1f * (2 * _random.NextSingle() - 1);
        var tensor = Empty(rows, columns);
        Backend.Write(values, tensor);
        return tensor;
    }

    public Tensor Rows(DType type, long rows, long columns) => _arena.Allocate(type, new Shape(rows, columns));

    public Tensor Integers(params int[] values)
    {
        var tensor = _arena.Allocate(DType.I32, new Shape(values.Length));
        Backend.Write(values, tensor);
        return tensor;
    }

    public Tensor IntegerTable(int[] values, int columns)
    {
        var tensor = Rows(DType.I32, values.Length / columns, columns);
        Backend.Write(values, tensor);
        return tensor;
    }

    /// <summary>Matrices of the same values.</summary>
    public PackedWeights Packed(WeightFormat format, int matrices, int outputs, int inputs)
    {
        var packed = Backend.CreatePacked(format, matrices, outputs, inputs);
        _packed.Add(packed);
        var values = Filled(outputs, inputs);
        for (int m = 0; m < matrices; m++) Backend.Fill(packed, m, [new WeightPart(values)]);
        return packed;
    }

    public void Dispose()
    {
        foreach (var packed in _packed) packed.Dispose();
        _arena.Dispose();
        Backend.Dispose();
    }
}
