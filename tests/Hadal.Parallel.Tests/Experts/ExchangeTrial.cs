using Hadal.Numerics;
using Hadal.Training.Experts;
using Hadal.Training.Layers;
using Hadal.Training.Precision;

namespace Hadal.Parallel.Tests.Experts;

/// <summary>Takes rows through an exchange, forward and backward, with stand-ins for the experts: expert e makes g·(a(e)·x) of a row x with gate weight g.</summary>
internal sealed class ExchangeTrial(IExpertExchange exchange, IBackend backend, Func<int, float> factor) : IDisposable
{
    private readonly Arena _kept = new(backend, 1 << 18), _scratch = new(backend, 1 << 18);
    private readonly ExpertExchangeState _state = exchange.CreateState();

    /// <summary>What is there before something is added.</summary>
    public static float Before(int i) => i % 7 - 3;

    public Result Run(TokenRows rows)
    {
        _kept.Reset();
        _scratch.Reset();
        var c = new MicroBatchContext { Backend = backend, Arena = _kept, Scratch = _scratch, Precision = PrecisionPolicy.Full, Cos = default, Sin = default, KeepsActivations = true };
        int width = TokenRows.Width, chosen = TokenRows.Chosen;
        Tensor x = Filled(rows.X, width), dy = Filled(rows.DY, width), gates = Filled(rows.Gates, chosen);
        var choices = c.KeptIntegers(rows.Choices.Length).Reshape(new Shape(rows.Count, chosen));
        backend.Write(rows.Choices, choices);

        exchange.BeginDispatch(c, x, choices, gates, _state);
        var arrived = exchange.EndDispatch(c, _state);
        float[] experts = ExpertOf(arrived.Offsets), weights = Read(arrived.Weights), values = Read(arrived.Rows);
        exchange.BeginCombine(c, Filled(Scaled(values, experts, weights), width), _state);
        Tensor replaced = c.Matrix(rows.Count, width), added = Filled([.. Enumerable.Range(0, rows.X.Length).Select(Before)], width);
        exchange.EndCombine(c, replaced, accumulate: false, _state);
        exchange.EndCombine(c, added, accumulate: true, _state);

        exchange.BeginGradientDispatch(c, dy, _state);
        float[] gradients = Read(exchange.EndGradientDispatch(c, _state));
        var gateGradients = c.Vector(weights.Length);
        backend.Write([.. weights.Select((_, s) => Product(gradients.AsSpan(s * width, width), values.AsSpan(s * width, width), factor((int)experts[s])))], gateGradients);
        exchange.BeginGradientCombine(c, Filled(Scaled(gradients, experts, weights), width), gateGradients, _state);
        float[] again = Read(exchange.Rows(c, x, _state));
        var dGates = c.Matrix(rows.Count, chosen);
        exchange.EndGradientCombine(c, dGates, _state);
        var dx = Filled([.. Enumerable.Range(0, rows.X.Length).Select(Before)], width);
        exchange.AddGradient(c, dx, _state);
        return new Result(Read(replaced), Read(added), Read(dGates), Read(dx), ByExpert(values, experts), ByExpert(again, experts), ByExpert(gradients, experts));
    }

    /// <summary>Σ of the products of two rows' elements, the second times a factor: the gradient for a gate weight.</summary>
    public static float Product(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, float factor)
    {
        float sum = 0;
        for (int i = 0; i < x.Length; i++) sum += dy[i] * (factor * x[i]);
        return sum;
    }

    public void Dispose()
    {
        _kept.Dispose();
        _scratch.Dispose();
    }

    private Tensor Filled(float[] values, int columns)
    {
        var tensor = _kept.Matrix(values.Length / columns, columns);
        if (values.Length > 0) backend.Write(values, tensor);
        return tensor;
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        if (values.Length > 0) backend.Read(tensor, values);
        return values;
    }

    // The expert of every sorted row.
    private float[] ExpertOf(Tensor offsets)
    {
        var bounds = new int[offsets.Count];
        backend.Read(offsets, bounds);
        return [.. Enumerable.Range(0, exchange.Experts).SelectMany(e => Enumerable.Repeat((float)(exchange.FirstExpert + e), bounds[e + 1] - bounds[e]))];
    }

    private float[] Scaled(float[] values, float[] experts, float[] weights)
    {
        var scaled = new float[values.Length];
        for (int i = 0; i < values.Length; i++) scaled[i] = weights[i / TokenRows.Width] * (factor((int)experts[i / TokenRows.Width]) * values[i]);
        return scaled;
    }

    private static Dictionary<int, float[]> ByExpert(float[] rows, float[] experts) =>
        experts.Select((e, s) => ((int)e, s)).GroupBy(p => p.Item1).ToDictionary(g => g.Key, g => g.SelectMany(p => rows[(p.s * TokenRows.Width)..((p.s + 1) * TokenRows.Width)]).ToArray());

    /// <summary>What came out on one rank.</summary>
    /// <param name="Y">Combined results.</param>
    /// <param name="Added">The same, added to <see cref="Before"/>.</param>
    /// <param name="DGates">Gradients for the gate weights.</param>
    /// <param name="DX">Gradients for the rows, added to <see cref="Before"/>.</param>
    /// <param name="Rows">Rows of each expert that has some here, in their order.</param>
    /// <param name="RowsAgain">The same as the weight gradients see them.</param>
    /// <param name="Gradients">Gradients of these rows' results.</param>
    internal sealed record Result(float[] Y, float[] Added, float[] DGates, float[] DX, Dictionary<int, float[]> Rows, Dictionary<int, float[]> RowsAgain, Dictionary<int, float[]> Gradients);
}
