using Hadal.Model.Configuration;
using Hadal.Model.Rotary;
using Hadal.Numerics;

namespace Hadal.Training.Model;

/// <summary>Cosines and sines of the first positions, [P, rope / 2] each, where a backend can use them.</summary>
internal sealed class RotaryTensors : IDisposable
{
    private readonly Storage _storage;

    public RotaryTensors(IBackend backend, ModelConfig config, int positions)
    {
        var table = new RotaryTable(config);
        int half = config.RopeWidth / 2;
        _storage = backend.CreateStorage(2L * positions * half * sizeof(float));
        Cos = _storage.View(0, DType.F32, new Shape(positions, half));
        Sin = _storage.View((long)positions * half * sizeof(float), DType.F32, new Shape(positions, half));
        var cosines = new float[positions * half];
        var sines = new float[positions * half];
        table.Fill(0, cosines, sines);
        backend.Write(cosines, Cos);
        backend.Write(sines, Sin);
    }

    public Tensor Cos { get; }

    public Tensor Sin { get; }

    public void Dispose() => _storage.Dispose();
}
