using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Weights;

/// <summary>What a model is said to take before it is loaded is what it takes then.</summary>
public class WeightMemoryTests(BlockModel model) : IClassFixture<BlockModel>
{
    // What is not packed lies in one piece of this size, which the few vectors of these models do not fill.
    private const int PlainPiece = 1 << 20;

    public static TheoryData<GgufWeights> Files => [.. Enum.GetValues<GgufWeights>()];

    [Theory]
    [MemberData(nameof(Files))]
    public void Files_with_blocks_are_counted_as_they_are_held(GgufWeights weights) => CheckMemory(model.Gguf(weights), new LoadOptions());

    [Theory]
    [InlineData(null)]
    [InlineData(WeightFormat.F32)]
    [InlineData(WeightFormat.BF16)]
    [InlineData(WeightFormat.Fp8)]
    [InlineData(WeightFormat.Fp8W8A8)]
    [InlineData(WeightFormat.EightBit)]
    [InlineData(WeightFormat.FourBit)]
    public void Formats_that_are_asked_for_are_counted(WeightFormat? format) => CheckMemory(model.Folder, new LoadOptions { Weights = format });

    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-v3-fp8-128")]
    [InlineData("tiny-v3-fp8-odd")]
    public void Folders_are_counted_in_their_own_format(string name)
    {
        CheckMemory(GoldenData.Folder(name), new LoadOptions());
        CheckMemory(GoldenData.Folder(name), new LoadOptions { Mtp = false });
    }

    private static void CheckMemory(string path, LoadOptions options)
    {
        using var backend = new CpuBackend(1);
        using var loaded = InferenceModel.Load(path, backend, options, cancellation: TestContext.Current.CancellationToken);
        using var checkpoint = Checkpoint.Open(path);
        var (config, catalog) = (checkpoint.Config, checkpoint.Catalog);
        long plain = catalog.Main.Concat(Enumerable.Range(config.Layers, loaded.HasMtp ? 1 : 0).SelectMany(catalog.Layer))
            .Where(t => t.IsParameter && t.Shape.Rank == 1).Sum(t => t.Count * sizeof(float));
        Assert.Equal(loaded.ByteLength - PlainPiece, InferenceModel.MemoryBytes(path, backend, options) - plain);
    }
}
