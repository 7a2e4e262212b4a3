using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

public class CheckpointMistakeTests
{
    private const string Q = "model.layers.0.self_attn.q_a_proj.weight";

    [Theory]
    [InlineData("missing", "tensor " + Q + " is missing; config.json asks for it with shape [6, 8]")]
    [InlineData("shape", "tensor " + Q + " has shape [8, 6], but config.json asks for [6, 8]")]
    [InlineData("I32", "tensor " + Q + " has type I32, but must have F32, BF16 or F16")]
    [InlineData("F64", "has type F64, but must have F32, BF16 or F16")]
    [InlineData("F8E4M3", "has type F8_E4M3, but must have F32, BF16 or F16; config.json has no quantization_config")]
    public void A_tensor_that_does_not_fit_the_configuration_is_named(string kind, string message)
    {
        using var folder = new TemporaryFolder();
        TinyModel.WriteRaw(folder.Path, TinyModel.Config, t => (t.Name == Q, kind) switch
        {
            (false, _) => [TinyModel.AsSpecified(t)],
            (true, "missing") => [],
            (true, "shape") => [(new SafetensorsEntry(Q, DType.F32, new Shape(8, 6)), new byte[192])],
            (true, _) => [Empty(Q, Enum.Parse<DType>(kind), t.Shape)],
        });
        var e = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.Path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(Q, e.TensorName);
        Assert.StartsWith(folder.Path, e.Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing", "has type F8_E4M3, but its scales " + Q + "_scale_inv are missing")]
    [InlineData("shape", "_scale_inv has shape [2, 1], but the blocks of " + Q + " ask for [1, 1]")]
    [InlineData("type", "_scale_inv has type U8, but must have F32")]
    [InlineData("norm", "tensor model.norm.weight has type F8_E4M3, but must have F32, BF16 or F16.")]
    [InlineData("e5m2", "has type F8_E5M2, but must have F8_E4M3, F32, BF16 or F16")]
    public void Quantised_weights_need_the_right_scales(string kind, string message)
    {
        using var folder = new TemporaryFolder();
        TinyModel.WriteRaw(folder.Path, TinyModel.Config with { Quantization = new BlockQuantization() }, t => (t.Name, kind) switch
        {
            (Q + "_scale_inv", "missing") => [],
            (Q + "_scale_inv", "shape") => [Empty(t.Name, DType.F32, new Shape(2, 1))],
            (Q + "_scale_inv", "type") => [Empty(t.Name, DType.U8, t.Shape)],
            ("model.norm.weight", "norm") => [Empty(t.Name, DType.F8E4M3, t.Shape)],
            (Q, "e5m2") => [Empty(t.Name, DType.F8E5M2, t.Shape)],
            _ => [TinyModel.AsSpecified(t)],
        });
        AssertRefused(message, folder.Path);
    }

    [Fact]
    public void Half_an_mtp_module_is_a_mistake()
    {
        using var folder = new TemporaryFolder();
        TinyModel.WriteRaw(folder.Path, TinyModel.Config, t => t.Role == TensorRole.MtpProjection ? [] : [TinyModel.AsSpecified(t)]);
        AssertRefused("model.layers.2.eh_proj.weight is missing", folder.Path);
    }

    [Fact]
    public void Folders_that_are_no_checkpoint_are_one_sentence()
    {
        using var folder = new TemporaryFolder();
        AssertRefused("there is no such folder", folder.File("none"));
        Assert.Throws<ConfigException>(() => Checkpoint.Open(folder.Path));
        TinyModel.Config.Save(folder.Path);
        AssertRefused("this is a file", folder.File("config.json"));
        AssertRefused("neither model.safetensors nor model.safetensors.index.json", folder.Path);
    }

    [Fact]
    public void A_missing_shard_is_named_with_a_tensor_it_should_hold()
    {
        using var outer = new TemporaryFolder();
        string folder = Sharded(outer);
        string shard = Directory.GetFiles(folder, "model-00002-*").Single();
        File.Delete(shard);
        var e = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder));
        Assert.Equal(shard, e.Path);
        Assert.Contains("the shard is missing, but model.safetensors.index.json puts", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_shard_is_named()
    {
        using var outer = new TemporaryFolder();
        string folder = Sharded(outer);
        string shard = Directory.GetFiles(folder, "model-00002-*").Single();
        using (var stream = new FileStream(shard, FileMode.Open)) stream.SetLength(stream.Length - 1);
        var e = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder));
        Assert.Equal(shard, e.Path);
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_lies_is_a_mistake()
    {
        using var outer = new TemporaryFolder();
        string folder = Sharded(outer);
        string path = Path.Combine(folder, "model.safetensors.index.json");
        var index = JsonNode.Parse(File.ReadAllText(path))!;
        string first = Path.GetFileName(Directory.GetFiles(folder, "model-00001-*").Single());
        index["weight_map"]!["lm_head.weight"] = first;
        File.WriteAllText(path, index.ToJsonString());
        AssertRefused("tensor lm_head.weight is not in the file, but model.safetensors.index.json says so", folder);

        index["weight_map"]!.AsObject().Remove("lm_head.weight");
        File.WriteAllText(path, index.ToJsonString());
        AssertRefused("lm_head.weight is missing", folder);
    }

    [Fact]
    public void A_single_file_beside_an_index_that_ignores_it_is_a_mistake()
    {
        using var outer = new TemporaryFolder();
        string folder = Sharded(outer);
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), "");
        AssertRefused("remove the one that is not meant", folder);
    }

    [Theory]
    [InlineData("../x.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a/b.safetensors")]
    [InlineData("a\\\\b.safetensors")]
    [InlineData("C:x")]
    [InlineData("a\\u0000b")]
    public void A_shard_outside_the_folder_is_refused(string file)
    {
        string json = $$"""{ "weight_map": { "lm_head.weight": "{{file}}" } }""";
        var e = Assert.Throws<CheckpointException>(() => CheckpointIndex.Parse(Encoding.UTF8.GetBytes(json), "index.json"));
        Assert.Contains("a shard must be a file of the same folder", e.Message, StringComparison.Ordinal);
        Assert.Equal("lm_head.weight", e.TensorName);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "must be one JSON object")]
    [InlineData("{}", "has no weight_map")]
    [InlineData("""{"weight_map":[]}""", "weight_map must be an object")]
    [InlineData("""{"weight_map":{"a":1}}""", "something other than a file name")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""", "names tensor a twice")]
    [InlineData("""{"weight_map":{},"weight_map":{}}""", "weight_map stands in the index twice")]
    [InlineData("""{"weight_map":{}} x""", "not valid JSON")]
    [InlineData("""{"weight_map":{"\ud800":"x"}}""", "not valid Unicode")]
    public void A_malformed_index_is_one_sentence(string json, string message)
    {
        var e = Assert.Throws<CheckpointException>(() => CheckpointIndex.Parse(Encoding.UTF8.GetBytes(json), "index.json"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Ten_thousand_damaged_indices_give_an_exception_of_their_own_or_names_inside_the_folder()
    {
        byte[][] seeds =
        [
            """{ "metadata": { "total_size": 688574839360 }, "weight_map": { "lm_head.weight": "model-00163-of-000163.safetensors", "a": "x-1" } }"""u8.ToArray(),
            """{"weight_map":{"a":"x.safetensors","b":"y.safetensors","c":"x.safetensors"},"extra":[1,{"z":null}]}"""u8.ToArray(),
        ];
        int good = 0;
        Mutations.Run(seeds, seed: 3, count: 10_000, mostBytes: 1 << 20, bytes =>
        {
            try
            {
                var map = CheckpointIndex.Parse(bytes, "x");
                Assert.All(map.Values, file => Assert.Equal("/models/" + file, Path.GetFullPath(Path.Combine("/models", file))));
                good++;
            }
            catch (CheckpointException)
            {
            }
        });
        Assert.InRange(good, 100, 9_000);
    }

    /// <summary>Damage anywhere in a whole folder: the answer is an exception of the reader's own, or a checkpoint that reads.</summary>
    [Fact]
    public void Damaged_folders_give_an_exception_of_their_own_or_a_checkpoint_that_reads()
    {
        using var outer = new TemporaryFolder();
        string folder = Sharded(outer);
        string[] files = [.. Directory.GetFiles(folder).Order()];
        byte[][] contents = [.. files.Select(File.ReadAllBytes)];
        int file = 0, good = 0;
        Mutations.Run(contents, seed: 4, count: 300, mostBytes: 8 << 20, bytes =>
        {
            File.WriteAllBytes(files[file], bytes);
            try
            {
                using var checkpoint = Checkpoint.Open(folder);
                var values = new float[160];
                checkpoint.ReadSingle("lm_head.weight", values);
                good++;
            }
            catch (Exception e) when (e is CheckpointException or ConfigException)
            {
            }

            File.WriteAllBytes(files[file], contents[file]);
            file = (file + 1) % files.Length;
        });
        Assert.InRange(good, 10, 290);
    }

    private static (SafetensorsEntry Entry, byte[] Content) Empty(string name, DType type, Shape shape)
    {
        var entry = new SafetensorsEntry(name, type, shape);
        return (entry, new byte[entry.ByteLength]);
    }

    private static void AssertRefused(string message, string folder) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder)).Message, StringComparison.Ordinal);

    private static string Sharded(TemporaryFolder outer)
    {
        string folder = outer.File("model");
        CheckpointWriter.Write(folder, TinyModel.Config, TinyModel.Values, new CheckpointOptions { ShardBytes = 2000 }, TestContext.Current.CancellationToken);
        return folder;
    }
}
