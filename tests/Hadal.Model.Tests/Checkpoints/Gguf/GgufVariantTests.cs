using System.Buffers.Binary;
using Hadal.Model.Checkpoints;
using Hadal.Model.Checkpoints.Gguf;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints.Gguf;

/// <summary>Files as other programs write them: older, split, with other choices; and files that do not hold what their metadata say.</summary>
public class GgufVariantTests
{
    private static ModelConfig Config => TinyModel.Config;

    [Fact]
    public void Fused_gate_and_up_an_unsplit_kv_b_a_shared_head_and_a_missing_bias_are_understood()
    {
        using var files = new TemporaryFolder();
        using var source = Source(files);
        string path = files.File("other.gguf");
        Rewrite(source, path, pairs => pairs, entry => entry.Name switch
        {
            "output.weight" => [],
            var n when n.EndsWith("exp_probs_b.bias", StringComparison.Ordinal) => [],
            var n when n.EndsWith("nextn.shared_head_norm.weight", StringComparison.Ordinal) => [],
            var n when n.EndsWith("attn_v_b.weight", StringComparison.Ordinal) => [],
            var n when n.EndsWith("attn_k_b.weight", StringComparison.Ordinal) => [Whole(source, TensorRole.LatentUp, Layer(n), n.Replace("attn_k_b", "attn_kv_b", StringComparison.Ordinal))],
            var n when n.EndsWith("ffn_up_exps.weight", StringComparison.Ordinal) => [],
            var n when n.EndsWith("ffn_gate_exps.weight", StringComparison.Ordinal) => [Fused(source, Layer(n))],
            _ => [entry],
        });
        using var file = Checkpoint.Open(path);
        foreach (var role in (TensorRole[])[TensorRole.ExpertGate, TensorRole.ExpertUp, TensorRole.ExpertDown])
        {
            for (int e = 0; e < 4; e++) Same(role, 1, e);
        }

        Same(TensorRole.LatentUp, 0);
        Same(TensorRole.LatentUp, 2);
        Assert.Equal(GgufRoundTripTests.Read(source, "model.embed_tokens.weight"), GgufRoundTripTests.Read(file, "lm_head.weight"));
        Assert.Equal(GgufRoundTripTests.Read(source, "model.norm.weight"), GgufRoundTripTests.Read(file, file.Catalog.Get(TensorRole.MtpFinalNorm, 2).Name));
        Assert.All(GgufRoundTripTests.Read(file, file.Catalog.Get(TensorRole.RouterBias, 1).Name), v => Assert.Equal(0, v));

        void Same(TensorRole role, int layer, int expert = -1)
        {
            string name = file.Catalog.Get(role, layer, expert).Name;
            Assert.Equal(GgufRoundTripTests.Read(source, name), GgufRoundTripTests.Read(file, name));
        }
    }

    [Fact]
    public void Split_files_are_one_model_and_a_wrong_part_is_named()
    {
        using var files = new TemporaryFolder();
        using var source = Source(files);
        string[] parts = [.. Enumerable.Range(1, 3).Select(i => files.File($"m-0000{i}-of-00003.gguf"))];
        int total = new GgufLayout(source, Rules(source)).Entries().Count();
        for (int part = 0; part < 3; part++)
        {
            int index = 0, number = part;
            Rewrite(source, parts[part], pairs => (number == 0 ? pairs : new GgufPairs()).AddShort("split.no", (ushort)number).AddShort("split.count", 3).AddSigned("split.tensors.count", total),
                entry => index++ % 3 == number ? [entry] : []);
        }

        using (var file = Checkpoint.Open(parts[0]))
        {
            Assert.Equal(total, file.Tensors.Count);
            Assert.Equal(3, file.Tensors.Select(t => t.File).Distinct().Count());
            foreach (var tensor in file.Catalog.Tensors) Assert.Equal(GgufRoundTripTests.Read(source, tensor.Name), GgufRoundTripTests.Read(file, tensor.Name));
        }

        Refused("this is part 2 of 3; the model is opened by its first part, which ends in -00001-of-00003.gguf", parts[1]);
        File.Copy(parts[0], files.File("renamed.gguf"));
        Refused("so its name must end in -00001-of-00003.gguf", files.File("renamed.gguf"));
        File.Move(parts[2], files.File("kept"));
        Refused("part 3 of 3 is missing", parts[0]);
        File.Copy(parts[1], parts[2]);
        Refused("stands in two parts of the model", parts[0]);
        Rewrite(source, parts[2], _ => new GgufPairs().AddShort("split.no", 2).AddShort("split.count", 3), _ => []);
        Refused($"split.tensors.count is {total}, but the 3 parts hold", parts[0]);
        Rewrite(source, parts[2], _ => new GgufPairs().AddShort("split.no", 1).AddShort("split.count", 3), _ => []);
        Refused("this is not part 3 of 3", parts[0]);
    }

    [Theory]
    [InlineData("general.architecture", "", "general.architecture is \"llama\", but must be \"deepseek2\"")]
    [InlineData("deepseek2.block_count", "", "the metadata has no deepseek2.block_count")]
    [InlineData("deepseek2.block_count", "0", "deepseek2.block_count is 0, but must be between 1 and")]
    [InlineData("deepseek2.block_count", "4000000000", "deepseek2.block_count is 4000000000, but must be between 1 and")]
    [InlineData("deepseek2.block_count", "9000", "tensor blk.3.attn_norm.weight is missing")]
    [InlineData("deepseek2.expert_count", "65536", "tensor blk.1.ffn_gate_inp.weight has shape [4, 8], but the metadata ask for [65536, 8]")]
    [InlineData("deepseek2.embedding_length", "16", "tensor token_embd.weight has shape [20, 8], but the metadata ask for [20, 16]")]
    [InlineData("deepseek2.nextn_predict_layers", "3", "less than 3, the number of blocks")]
    [InlineData("deepseek2.attention.value_length_mla", "", "only one of deepseek2.attention.key_length_mla and")]
    [InlineData("deepseek2.rope.dimension_count", "6", "deepseek2.rope.dimension_count is 6, but must be less than 6")]
    [InlineData("deepseek2.expert_gating_func", "4", "deepseek2.expert_gating_func is 4, but must be 1 (softmax) or 2 (sigmoid)")]
    [InlineData("deepseek2.attention.layer_norm_rms_epsilon", "1", "must be a floating-point number")]
    public void Metadata_that_do_not_fit_are_named(string key, string value, string message)
    {
        using var files = new TemporaryFolder();
        using var source = Source(files);
        string path = files.File("bad.gguf");
        Rewrite(source, path, pairs => Changed(pairs, key, value), entry => [entry]);
        Refused(message, path);
    }

    /// <summary>Damage anywhere in a whole file: the answer is an exception of the reader's own, or a checkpoint that reads.</summary>
    [Fact]
    public void Damaged_files_give_an_exception_of_their_own_or_a_checkpoint_that_reads()
    {
        using var files = new TemporaryFolder();
        string path = GgufRoundTripTests.Write(files, Config with { HiddenSize = 32, ExpertWidth = 32 }, GgufWeights.Q40);
        byte[] whole = File.ReadAllBytes(path);
        int header = (int)(GgufHeader.Parse(whole, whole.Length, path).Tensors.Min(t => t.Offset));
        var random = new Random(11);
        int good = 0;
        for (int i = 0; i < 1500; i++)
        {
            byte[] bytes = [.. whole];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int at = random.Next(header - 8);
                if (random.Next(2) == 0) bytes[at] ^= (byte)(1 << random.Next(8));
                else BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), (uint)(random.NextInt64() >> random.Next(63)));
            }

            if (random.Next(8) == 0) bytes = bytes[..random.Next(bytes.Length)];
            File.WriteAllBytes(path, bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var checkpoint = Checkpoint.Open(path);
                foreach (var tensor in checkpoint.Tensors) checkpoint.ReadRows(tensor.Name, tensor.Shape.Rows - 1, 1, new float[tensor.Shape.Columns]);
                good++;
            }
            catch (Exception e) when (e is CheckpointException or ConfigException)
            {
                Assert.DoesNotContain('\n', e.Message);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        }

        Assert.InRange(good, 20, 1400);
    }

    private static Checkpoint Source(TemporaryFolder files)
    {
        GgufRoundTripTests.Write(files, Config, GgufWeights.F32);
        return Checkpoint.Open(files.File("hf"));
    }

    private static GgufTypeRules Rules(Checkpoint source) => new(GgufWeights.F32, source.Config.Layers + source.MtpLayers, source.Config.RoutedExperts);

    private static void Rewrite(Checkpoint source, string path, Func<GgufPairs, GgufPairs> change, Func<GgufEntry, GgufEntry[]> replace)
    {
        var rules = Rules(source);
        GgufWriter.Write(path, change(GgufDescription.Write(source, rules, "x")), [.. new GgufLayout(source, rules).Entries().SelectMany(replace)], null, TestContext.Current.CancellationToken);
    }

    private static GgufPairs Changed(GgufPairs pairs, string key, string value)
    {
        var changed = new GgufPairs();
        foreach (var (name, raw) in pairs.All)
        {
            if (name != key) changed.AddRaw(name, raw);
            else if (key == "general.architecture") changed.Add(key, "llama");
            else if (value.Length > 0) changed.Add(key, uint.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
        }

        return changed;
    }

    private static GgufEntry Whole(Checkpoint source, TensorRole role, int layer, string name)
    {
        var spec = source.Catalog.Get(role, layer);
        return new GgufEntry(name, GgufTensorType.F32, spec.Shape, (first, count, rows) => source.ReadRows(spec.Name, first, count, rows));
    }

    private static GgufEntry Fused(Checkpoint source, int layer) => new(GgufNames.GateAndUp(layer), GgufTensorType.F32, new Shape(4, 8, 8), (first, count, rows) =>
    {
        for (int i = 0; i < count; i++)
        {
            int expert = (int)(first + i) / 8, row = (int)(first + i) % 8;
            var role = row < 4 ? TensorRole.ExpertGate : TensorRole.ExpertUp;
            source.ReadRows(source.Catalog.Get(role, layer, expert).Name, row % 4, 1, rows[(i * 8)..]);
        }
    });

    private static int Layer(string name) => int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static void Refused(string message, string path)
    {
        var e = Assert.ThrowsAny<Exception>(() => Checkpoint.Open(path));
        Assert.True(e is CheckpointException or ConfigException, e.ToString());
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
