using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Golden.Tests.Inference;

/// <summary>
/// Logits and everything inside against DeepSeek's published code. Tolerance 1e-4: implementations of the reference differ among each other by up to 2e-5 at
/// a logit deviation of 2 (golden.json); gate weights 1e-5.
/// </summary>
public class TraceTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, int, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, string>();
            foreach (string model in new[] { "tiny-v3", "tiny-v2lite", "tiny-moonlight" })
            {
                foreach (int length in new[] { 1, 37, 300 })
                {
                    foreach (string way in new[] { "prefill", "token by token", "pieces of 7", "pieces of 64", "prompt of 20, then pieces of 5" }) cases.Add(model, length, way);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_tensor_is_the_published_codes(string model, int length, string way)
    {
        using var golden = new GoldenFolder(model);
        using var backend = new CpuBackend(1);
        using var loaded = InferenceModel.Load(golden.Path, backend, cancellation: TestContext.Current.CancellationToken);
        string prefix = $"seq{length}/";
        var options = way switch
        {
            "prefill" => new ModelTraceOptions(),
            "token by token" => new ModelTraceOptions { PromptTokens = 1, PieceTokens = 1 },
            "pieces of 7" => new ModelTraceOptions { PieceTokens = 7 },
            "pieces of 64" => new ModelTraceOptions { PieceTokens = 64 },
            _ => new ModelTraceOptions { PromptTokens = 20, PieceTokens = 5 },
        };

        var trace = ModelTrace.Run(loaded, golden.Integers(prefix + "tokens"), options, null, TestContext.Current.CancellationToken);

        int compared = 0;
        int[] positions = golden.Integers(prefix + "positions");
        foreach (var tensor in trace.Tensors.Values)
        {
            string name = prefix + tensor.Name;
            if (!golden.Has(name)) continue;
            compared++;
            if (tensor.Type == DType.I32)
            {
                string weights = tensor.Name.Replace("experts", "gate_weights", StringComparison.Ordinal);
                Compare.SameExperts(golden.Integers(name), golden.Floats(prefix + weights), tensor.Integers, trace.Tensors[weights].Values, tensor.Columns, name);
            }
            else if (!tensor.Name.Contains("gate_weights", StringComparison.Ordinal))
            {
                Compare.Close(golden.Floats(name), Rows(tensor, (int)golden.Shape(name).Rows, positions), Tolerance, name);
            }
        }

        // Per layer: hidden, latent, rope key; final norm, logits; in a layer with experts two more.
        Assert.True(compared >= 3 * loaded.Config.Layers + 3 + 2 * loaded.Config.ExpertLayers, $"Only {compared} tensors were compared.");
        Assert.Equal(loaded.HasMtp && length > 1, trace.Tensors.ContainsKey("mtp.logits"));
    }

    // The long sequence's reference has some positions of the hidden states and the last rows of the logits.
    private static float[] Rows(TraceTensor tensor, int rows, int[] positions)
    {
        if (rows == tensor.Rows) return tensor.Values.ToArray();
        int[] chosen = tensor.Name.EndsWith("logits", StringComparison.Ordinal)
            ? [.. Enumerable.Range(tensor.Rows - rows, rows)]
            : [.. positions.Where(p => p < tensor.Rows)];
        Assert.Equal(rows, chosen.Length);
        var values = new float[rows * tensor.Columns];
        for (int i = 0; i < rows; i++) tensor.Values.Slice(chosen[i] * tensor.Columns, tensor.Columns).CopyTo(values.AsSpan(i * tensor.Columns));
        return values;
    }
}
