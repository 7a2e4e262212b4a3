using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Golden.Tests.Inference;

/// <summary>The golden models as GGUF files.</summary>
public class GgufTests
{
    /// <summary>Nothing is rounded on the way and the kernels see the same matrices, so everything is equal bit for bit.</summary>
    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-moonlight")]
    public void An_F32_file_computes_what_the_folder_computes_bit_for_bit(string model)
    {
        using var golden = new GoldenFolder(model);
        var expected = Trace(golden.Path, golden.Integers("seq37/tokens"));
        string file = Path.Combine(Path.GetTempPath(), $"hadal-{Guid.NewGuid():N}.gguf");
        try
        {
            using (var source = Checkpoint.Open(golden.Path)) ModelConversion.ToGguf(source, file, GgufWeights.F32, null, TestContext.Current.CancellationToken);
            var actual = Trace(file, golden.Integers("seq37/tokens"));
            Assert.Equal(expected.Tensors.Keys.Order(), actual.Tensors.Keys.Order());
            foreach (var tensor in expected.Tensors.Values)
            {
                if (tensor.Type == DType.I32) Assert.Equal(tensor.Integers.ToArray(), actual.Tensors[tensor.Name].Integers.ToArray());
                else Assert.Equal(tensor.Values.ToArray(), actual.Tensors[tensor.Name].Values.ToArray());
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static ModelTrace Trace(string model, int[] tokens)
    {
        using var backend = new CpuBackend(1);
        using var loaded = InferenceModel.Load(model, backend, cancellation: TestContext.Current.CancellationToken);
        return ModelTrace.Run(loaded, tokens, null, null, TestContext.Current.CancellationToken);
    }
}
