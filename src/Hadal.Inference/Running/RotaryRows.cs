using Hadal.Model.Configuration;
using Hadal.Model.Rotary;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>Cosines and sines on the backend for the positions that are in use; doubles when a text outgrows it.</summary>
internal sealed class RotaryRows : IDisposable
{
    private const int FirstPositions = 1024;
    private readonly RotaryTable _table;
    private readonly IBackend _backend;
    private readonly int _most;
    private Storage? _storage;

    public RotaryRows(ModelConfig config, IBackend backend) => (_table, _backend, _most) = (new RotaryTable(config), backend, config.MaxPositions);

    /// <summary>[positions, rope / 2].</summary>
    public Tensor Cosines { get; private set; }

    /// <summary>[positions, rope / 2].</summary>
    public Tensor Sines { get; private set; }

    /// <summary>Makes positions 0 … positions - 1 available; may move the tables, so only between steps.</summary>
    public void Reserve(int positions)
    {
        if (!Cosines.IsEmpty && positions <= Cosines.Rows) return;
        int present = Cosines.IsEmpty ? FirstPositions / 2 : Cosines.Rows;
        int count = (int)Math.Min(_most, Math.Max(positions, 2L * present));
        var shape = new Shape(count, _table.Pairs);
        var (cosines, sines) = (new float[shape.Count], new float[shape.Count]);
        _table.Fill(0, cosines, sines);
        _storage?.Dispose();
        _storage = _backend.CreateStorage(2 * shape.Count * sizeof(float));
        Cosines = _storage.View(0, DType.F32, shape);
        Sines = _storage.View(shape.Count * sizeof(float), DType.F32, shape);
        _backend.Write(cosines, Cosines);
        _backend.Write(sines, Sines);
    }

    public void Dispose() => _storage?.Dispose();
}
