using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Tests.Checkpoints;

public class CheckpointTests
{
    [Theory]
    [InlineData("tiny-v3", 1)]
    [InlineData("tiny-v2lite", 0)]
    [InlineData("tiny-moonlight", 0)]
    [InlineData("train-small", 1)]
    public void The_golden_checkpoints_open_and_read(string folder, int mtpLayers)
    {
        using var checkpoint = Checkpoint.Open(GoldenData.Folder(folder));
        var golden = GoldenData.Tensors(folder, "model.safetensors");
        Assert.Equal(mtpLayers, checkpoint.MtpLayers);
        Assert.Equal(golden.Names.Order(), checkpoint.Tensors.Select(t => t.Name).Order());
        Assert.All(checkpoint.Tensors, t => Assert.Equal("model.safetensors", t.File));
        foreach (var spec in checkpoint.Catalog.Parameters)
        {
            var values = new float[spec.Count];
            checkpoint.ReadSingle(spec.Name, values);
            Assert.Equal(golden.F32(spec.Name), values);
            Assert.Equal(spec.Shape, checkpoint.View(spec.Name).Shape);
            long rows = spec.Shape.Rows;
            var some = new float[(rows - rows / 3) * spec.Shape.Columns];
            checkpoint.ReadRows(spec.Name, rows / 3, rows - rows / 3, some);
            Assert.True(values.AsSpan(values.Length - some.Length).SequenceEqual(some));
        }
    }

    [Theory]
    [InlineData(DType.F32, 5_000_000_000, 1)]
    [InlineData(DType.BF16, 5_000_000_000, 1)]
    [InlineData(DType.F32, 1000, 0)]
    [InlineData(DType.BF16, 1, 0)]
    public void What_is_written_is_read_whatever_the_type_and_the_number_of_shards(DType type, long shardBytes, int files)
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model"), tokenizer = outer.File("tokenizer.json");
        File.WriteAllText(tokenizer, "{}");
        CheckpointWriter.Write(folder, TinyModel.Config, TinyModel.Values, new CheckpointOptions
        {
            Type = type,
            ShardBytes = shardBytes,
            CopiedFiles = [tokenizer],
            AddedFiles = new Dictionary<string, ReadOnlyMemory<byte>> { ["generation_config.json"] = "{}"u8.ToArray() },
        }, TestContext.Current.CancellationToken);
        File.Delete(tokenizer);
        Assert.Equal([folder], Directory.GetFileSystemEntries(outer.Path));
        Assert.Equal("{}{}", File.ReadAllText(Path.Combine(folder, "tokenizer.json")) + File.ReadAllText(Path.Combine(folder, "generation_config.json")));

        using var checkpoint = Checkpoint.Open(folder);
        Assert.Equal(TinyModel.Config with { WeightType = type }, checkpoint.Config);
        Assert.Equal(1, checkpoint.MtpLayers);
        string[] shards = [.. checkpoint.Tensors.Select(t => t.File).Distinct()];
        if (files == 1) Assert.Equal(["model.safetensors"], shards);
        else CheckIndex(folder, shards, checkpoint.Tensors, shardBytes);
        foreach (var spec in checkpoint.Catalog.Tensors)
        {
            Assert.Equal(spec.Role == TensorRole.RouterBias ? DType.F32 : type, checkpoint.Get(spec.Name).Type);
            var values = new float[spec.Count];
            checkpoint.ReadSingle(spec.Name, values);
            string source = spec.CopyOf ?? spec.Name;
            for (int i = 0; i < values.Length; i++)
            {
                float exact = TinyModel.Value(source, i);
                bool narrow = type == DType.BF16 && spec.Role != TensorRole.RouterBias;
                Assert.Equal(narrow ? BFloat16.ToSingle(BFloat16.FromSingle(exact)) : exact, values[i]);
            }
        }
    }

    private static void CheckIndex(string folder, string[] shards, IReadOnlyList<CheckpointTensor> tensors, long shardBytes)
    {
        Assert.Equal(Enumerable.Range(1, shards.Length).Select(i => $"model-{i:00000}-of-{shards.Length:000000}.safetensors"), shards.Order());
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")))!;
        var map = index["weight_map"]!.AsObject().ToDictionary(e => e.Key, e => e.Value!.GetValue<string>());
        Assert.Equal(tensors.Sum(t => t.Shape.Count * t.Type.SizeOf()), index["metadata"]!["total_size"]!.GetValue<long>());
        Assert.Equal(tensors.ToDictionary(t => t.Name, t => t.File), map);
        Assert.All(tensors.GroupBy(t => t.File), shard => Assert.True(shard.Count() == 1 || shard.Sum(t => t.Shape.Count * t.Type.SizeOf()) <= shardBytes));
    }

    /// <summary>Golden codes and scales, also where rows and columns do not fill their last block; exact, since both sides multiply once in FP32.</summary>
    [Theory]
    [InlineData("64x72", "")]
    [InlineData("128x256", "")]
    [InlineData("129x130", "")]
    [InlineData("140x200", "")]
    public void Fp8_blocks_dequantise_to_the_golden_values_with_scales_from_another_shard(string size, string _)
    {
        using var folder = new TemporaryFolder();
        var golden = GoldenData.Tensors("fp8-unit", "fp8_unit.safetensors");
        long[] shape = golden.Shape($"weight/{size}_code");
        var config = TinyModel.Dense((int)shape[1], (int)shape[0]) with { Quantization = new BlockQuantization() };
        TinyModel.WriteRaw(folder.Path, config, spec =>
        {
            var (entry, content) = TinyModel.AsSpecified(spec);
            if (spec.Name.EndsWith("mlp.up_proj.weight", StringComparison.Ordinal)) content = golden.Bytes($"weight/{size}_code").ToArray();
            if (spec.Name.EndsWith("mlp.up_proj.weight_scale_inv", StringComparison.Ordinal)) content = golden.Bytes($"weight/{size}_scale_inv").ToArray();
            return [(entry, content)];
        });
        MoveScalesToAnotherShard(folder.Path);

        using var checkpoint = Checkpoint.Open(folder.Path);
        string name = "model.layers.0.mlp.up_proj.weight";
        Assert.NotEqual(checkpoint.Get(name).File, checkpoint.Get(name + "_scale_inv").File);
        float[] expected = golden.F32($"weight/{size}_dequant");
        var values = new float[expected.Length];
        checkpoint.ReadSingle(name, values);
        Assert.Equal(expected, values);
        long last = shape[0] - 1;
        for (long row = 0; row < shape[0]; row += Math.Max(1, shape[0] / 7))
        {
            var two = new float[Math.Min(2, shape[0] - row) * shape[1]];
            checkpoint.ReadRows(name, row, two.Length / shape[1], two);
            Assert.True(expected.AsSpan((int)(row * shape[1]), two.Length).SequenceEqual(two));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => checkpoint.ReadRows(name, last, 2, new float[2 * shape[1]]));
        Assert.Throws<ArgumentException>(() => checkpoint.ReadRows(name, 0, 2, new float[2 * shape[1] - 1]));
    }

    private static void MoveScalesToAnotherShard(string folder)
    {
        string single = Path.Combine(folder, "model.safetensors");
        using (var all = SafetensorsFile.Open(single))
        {
            foreach (var shard in all.Tensors.GroupBy(t => ShardOf(t.Name)))
            {
                var entries = shard.Select(t => new SafetensorsEntry(t.Name, t.Type, t.Shape));
                SafetensorsWriter.Write(Path.Combine(folder, shard.Key), entries, (t, stream) => stream.Write(all.Bytes(t.Name, 0, (int)t.ByteLength)));
            }

            var map = new JsonObject(all.Tensors.Select(t => KeyValuePair.Create(t.Name, (JsonNode?)ShardOf(t.Name))));
            File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        }

        File.Delete(single);

        static string ShardOf(string tensor) => tensor.EndsWith("_scale_inv", StringComparison.Ordinal) ? "b.safetensors" : "a.safetensors";
    }

    [Fact]
    public void Copies_inside_the_mtp_module_may_be_left_out_and_lead_to_the_originals()
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        var options = new CheckpointOptions { Type = DType.F32, MtpCopies = false };
        CheckpointWriter.Write(folder, TinyModel.Config, TinyModel.Values, options, TestContext.Current.CancellationToken);
        using var checkpoint = Checkpoint.Open(folder);
        Assert.Equal(1, checkpoint.MtpLayers);
        Assert.DoesNotContain(checkpoint.Tensors, t => t.Name.Contains("layers.2.embed_tokens", StringComparison.Ordinal));
        Assert.Equal("model.embed_tokens.weight", checkpoint.Get("model.layers.2.embed_tokens.weight").Name);
        var values = new float[160];
        checkpoint.ReadSingle("model.layers.2.shared_head.head.weight", values);
        Assert.Equal(TinyModel.Value("lm_head.weight", 7), values[7]);
    }

    [Fact]
    public void A_checkpoint_without_its_mtp_module_is_complete_without_it()
    {
        using var folder = new TemporaryFolder();
        TinyModel.WriteRaw(folder.Path, TinyModel.Config, t => t.Layer < 2 ? [TinyModel.AsSpecified(t)] : []);
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal((0, 1), (checkpoint.MtpLayers, checkpoint.Config.MtpLayers));
        Assert.False(checkpoint.Contains("model.layers.2.eh_proj.weight"));
    }

    [Fact]
    public void A_quantised_configuration_accepts_weights_that_were_widened()
    {
        using var folder = new TemporaryFolder();
        TinyModel.WriteRaw(folder.Path, TinyModel.Config with { Quantization = new BlockQuantization() }, t => t.IsScale ? [] : [Widened(t)]);
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal(DType.F16, checkpoint.Get("model.layers.0.mlp.up_proj.weight").Type);

        static (SafetensorsEntry, byte[]) Widened(TensorSpec t) => (new SafetensorsEntry(t.Name, DType.F16, t.Shape), new byte[2 * t.Count]);
    }

    [Fact]
    public void Several_threads_read_at_once()
    {
        using var checkpoint = Checkpoint.Open(GoldenData.Folder("tiny-v3"));
        var whole = new float[512 * 128];
        checkpoint.ReadSingle("lm_head.weight", whole);
        var parts = new float[whole.Length];
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 4 },
            i => checkpoint.ReadRows("lm_head.weight", i * 8, 8, parts.AsSpan(i * 8 * 128, 8 * 128)));
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void A_folder_opened_with_its_files_can_be_replaced_while_it_is_open()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows keeps names of mapped files.");
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        var options = new CheckpointOptions { Type = DType.F32 };
        CheckpointWriter.Write(folder, TinyModel.Config, TinyModel.Values, options, TestContext.Current.CancellationToken);
        using var before = Checkpoint.Open(folder);
        CheckpointWriter.Write(folder, TinyModel.Config, (t, row, rows, destination) =>
        {
            before.ReadRows(t.Name, row, rows, destination);
            foreach (ref float v in destination) v *= 2;
        }, options, TestContext.Current.CancellationToken);
        using var after = Checkpoint.Open(folder);
        var old = new float[160];
        var fresh = new float[160];
        before.ReadSingle("lm_head.weight", old);
        after.ReadSingle("lm_head.weight", fresh);
        Assert.Equal(MemoryMarshal.ToEnumerable<float>(old.AsMemory()).Select(v => 2 * v), fresh);
    }
}
