using Hadal.Numerics;

namespace Hadal.Training.Parameters;

/// <summary>All parameters of a model in four parallel stretches of memory: values, gradients, and AdamW's two moments.</summary>
/// <remarks>
/// Layers ask for regions while they are built and give names to views of them; <see cref="Commit"/> then lays out the memory, and the layers fetch their
/// tensors. Experts of a layer are one region (a stack), under the names that a checkpoint has for each of them.
/// </remarks>
internal sealed class ParameterSet : IDisposable
{
    private const long Alignment = 16;
    private readonly IBackend _backend;
    private readonly List<(long Offset, Shape Shape)> _regions = [];
    private readonly List<(string Name, int Region, long FirstRow, Shape Shape)> _names = [];
    private readonly List<NamedParameter> _parameters = [];
    private readonly Dictionary<string, Parameter> _byName = [];
    private Storage? _weights, _gradients, _firstMoments, _secondMoments;

    public ParameterSet(IBackend backend) => _backend = backend;

    /// <summary>Elements, padding between regions included.</summary>
    public long Count { get; private set; }

    /// <summary>Every parameter under its checkpoint name, in the order in which layers declared them.</summary>
    public IReadOnlyList<NamedParameter> Named => _parameters;

    /// <summary>Stretches that the optimizer updates, in order.</summary>
    public IEnumerable<ParameterRegion> Regions => _regions.Select(r => new ParameterRegion(r.Offset, r.Shape.Count, r.Shape.Rank == 1));

    /// <summary>Values as one vector.</summary>
    public Tensor Weights { get; private set; }

    /// <summary>Gradients as one vector.</summary>
    public Tensor Gradients { get; private set; }

    /// <summary>AdamW's first moments as one vector, F32 or BF16.</summary>
    public Tensor FirstMoments { get; private set; }

    /// <summary>AdamW's second moments as one vector, of the same type.</summary>
    public Tensor SecondMoments { get; private set; }

    /// <summary>Declares a region that is one parameter.</summary>
    /// <returns>The region's number, for <see cref="Get"/>.</returns>
    public int Declare(string name, Shape shape)
    {
        int region = DeclareRegion(shape);
        Name(name, region, 0, shape);
        return region;
    }

    /// <summary>Declares a region whose parameters are named by <see cref="Name"/>.</summary>
    public int DeclareRegion(Shape shape)
    {
        if (_weights is not null) throw new InvalidOperationException("Parameters are declared before the memory is laid out.");
        _regions.Add((Count, shape));
        Count += (shape.Count + Alignment - 1) / Alignment * Alignment;
        return _regions.Count - 1;
    }

    /// <summary>Names some rows of a region.</summary>
    public void Name(string name, int region, long firstRow, Shape shape) => _names.Add((name, region, firstRow, shape));

    /// <summary>Lays out the memory.</summary>
    /// <param name="moments">Type of AdamW's moments: F32, or BF16 as in the report (section 3.3.3); null if somebody else keeps them.</param>
    /// <param name="parts">How many equal parts, of a multiple of 16 elements each, the memory can be cut into.</param>
    public void Commit(DType? moments = DType.F32, int parts = 1)
    {
        Count = (Count + parts * Alignment - 1) / (parts * Alignment) * (parts * Alignment);
        (_weights, Weights) = Make(DType.F32);
        (_gradients, Gradients) = Make(DType.F32);
        if (moments is { } type)
        {
            (_firstMoments, FirstMoments) = Make(type);
            (_secondMoments, SecondMoments) = Make(type);
        }

        foreach (var (name, region, firstRow, shape) in _names)
        {
            var whole = Get(region);
            var named = new NamedParameter(name, new Parameter(Part(whole.Weight, firstRow, shape), Part(whole.Gradient, firstRow, shape)));
            _parameters.Add(named);
            _byName.Add(name, named.Value);
        }
    }

    /// <summary>The tensors of a region.</summary>
    public Parameter Get(int region)
    {
        var (offset, shape) = _regions[region];
        long bytes = offset * sizeof(float);
        return new Parameter(
            (_weights ?? throw new InvalidOperationException("The memory is not laid out yet.")).View(bytes, DType.F32, shape),
            _gradients!.View(bytes, DType.F32, shape));
    }

    /// <summary>The first element of a parameter in the vectors of all.</summary>
    public long OffsetOf(Parameter parameter) => (parameter.Weight.ByteOffset - Weights.ByteOffset) / sizeof(float);

    /// <summary>The parameter of a checkpoint name.</summary>
    public bool TryFind(string name, out Parameter parameter) => _byName.TryGetValue(name, out parameter);

    public void Dispose()
    {
        _weights?.Dispose();
        _gradients?.Dispose();
        _firstMoments?.Dispose();
        _secondMoments?.Dispose();
    }

    private (Storage Storage, Tensor Vector) Make(DType type)
    {
        var storage = _backend.CreateStorage(Count * type.SizeOf());
        return (storage, storage.View(0, type, new Shape(Count)));
    }

    private static Tensor Part(Tensor region, long firstRow, Shape shape)
    {
        if (shape.Rank == 1) return region.Reshape(shape);
        return region.RowRange(firstRow, shape.Rows).Reshape(shape);
    }
}
