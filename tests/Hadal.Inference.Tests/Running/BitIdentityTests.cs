using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Running;

/// <summary>The bits of a token's logits depend on the tokens before it and on where the prompt ends, and on nothing else. All comparisons are exact.</summary>
public class BitIdentityTests
{
    private const int Prompt = 100, Total = 140;
    private static readonly int[] _tokens = [.. Enumerable.Range(0, Total).Select(i => (i * 37 + 11) % 509)];

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    public void Cutting_the_work_differently_changes_no_bit(DType cache)
    {
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(GoldenData.Folder("tiny-v3"), backend, cancellation: TestContext.Current.CancellationToken);
        var whole = Trace(model, cache, Total);
        foreach (int piece in new[] { 1, 7, 64 }) AssertSame(whole, Trace(model, cache, piece), $"pieces of {piece}");
        using var team = new CpuBackend(2);
        using var again = InferenceModel.Load(GoldenData.Folder("tiny-v3"), team, cancellation: TestContext.Current.CancellationToken);
        AssertSame(whole, Trace(again, cache, 33), "two threads, pieces of 33");
        using var four = new CpuBackend(4);
        using var once = InferenceModel.Load(GoldenData.Folder("tiny-v3"), four, cancellation: TestContext.Current.CancellationToken);
        AssertSame(whole, Trace(once, cache, 20), "four threads, pieces of 20");
    }

    [Fact]
    public void A_model_without_query_latent_keeps_its_bits_too()
    {
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(GoldenData.Folder("tiny-v2lite"), backend, cancellation: TestContext.Current.CancellationToken);
        var whole = Trace(model, DType.BF16, Total, 200);
        foreach (int piece in new[] { 1, 7, 64 }) AssertSame(whole, Trace(model, DType.BF16, piece, 200), $"pieces of {piece}");
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F8E4M3)]
    public void Company_in_the_batch_changes_no_bit(DType type)
    {
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(GoldenData.Folder("tiny-v3"), backend, cancellation: TestContext.Current.CancellationToken);
        var expected = Trace(model, type, Total).Tensors["logits"];
        using var cache = model.CreateCache(2000, type);
        using var runner = new ModelRunner(model, cache);
        var batch = new StepBatch();

        // Pages of the three sequences alternate, so nothing lies in order in the cache.
        using var a = cache.CreateSequence(_tokens.AsSpan(0, Prompt));
        using var b = cache.CreateSequence(_tokens.AsSpan(20, 70));
        using var c = cache.CreateSequence(_tokens.AsSpan(3, 90));
        for (int step = 0; a.CachedLength < Prompt; step++)
        {
            batch.Clear();
            batch.Add(a, Math.Min(30, Prompt - a.CachedLength), LogitRows.Last);
            if (b.CachedLength < b.PromptLength) batch.Add(b, Math.Min(41, b.PromptLength - b.CachedLength), LogitRows.All);
            runner.Forward(batch, TestContext.Current.CancellationToken);
            Assert.Equal(Row(expected, a.CachedLength - 1), Read(backend, runner.Logits.RowRange(batch.LogitRow(0), 1)));
        }

        Assert.True(a.Pages.Length > 1 && a.Pages[1] != a.Pages[0] + 1);
        foreach (int token in _tokens.AsSpan(Prompt)) a.Append(token);
        for (int i = 0; i < 40; i++) b.Append(_tokens[i]);
        foreach (int rows in new[] { 1, 3, 1, 5, 2 })
        {
            int first = a.CachedLength;
            batch.Clear();
            batch.Add(b, 2, LogitRows.None);
            int item = batch.Add(a, rows, LogitRows.All);
            batch.Add(c, 15, LogitRows.Last);
            runner.Forward(batch, TestContext.Current.CancellationToken);
            for (int i = 0; i < rows; i++) Assert.Equal(Row(expected, first + i), Read(backend, runner.Logits.RowRange(batch.LogitRow(item) + i, 1)));
        }
    }

    [Fact]
    public void Rows_computed_again_after_a_truncation_have_the_same_bits()
    {
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(GoldenData.Folder("tiny-v3"), backend, cancellation: TestContext.Current.CancellationToken);
        var expected = Trace(model, DType.F32, Total).Tensors["logits"];
        using var cache = model.CreateCache(200, DType.F32);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence(_tokens.AsSpan(0, Prompt));
        var batch = new StepBatch();
        batch.Add(sequence, Prompt, LogitRows.Last);
        runner.Forward(batch, TestContext.Current.CancellationToken);
        for (int position = Prompt; position < Total; position += 8)
        {
            // A wrong draft, verified and cut off, then the right tokens.
            sequence.Append(_tokens[position]);
            for (int i = 0; i < 30; i++) sequence.Append(500 - i);
            Step(31);
            sequence.Truncate(position + 1);
            for (int i = 1; i < 8; i++) sequence.Append(_tokens[position + i]);
            Step(7);
            for (int i = 0; i < 7; i++) Assert.Equal(Row(expected, position + 1 + i), Read(backend, runner.Logits.RowRange(i, 1)));
        }

        void Step(int rows)
        {
            batch.Clear();
            batch.Add(sequence, rows, LogitRows.All);
            runner.Forward(batch, TestContext.Current.CancellationToken);
        }
    }

    private static ModelTrace Trace(InferenceModel model, DType cache, int piece, int vocabulary = 512) => ModelTrace.Run(
        model, [.. _tokens.Select(t => t % vocabulary)], new ModelTraceOptions { PromptTokens = Prompt, PieceTokens = piece, CacheType = cache });

    private static void AssertSame(ModelTrace expected, ModelTrace actual, string how)
    {
        Assert.Equal(expected.Tensors.Keys, actual.Tensors.Keys);
        foreach (var tensor in expected.Tensors.Values)
        {
            Assert.True(tensor.Bytes.SequenceEqual(actual.Tensors[tensor.Name].Bytes), $"{tensor.Name} differs, {how}.");
        }
    }

    private static float[] Row(TraceTensor tensor, int row) => tensor.Values.Slice(row * tensor.Columns, tensor.Columns).ToArray();

    private static float[] Read(CpuBackend backend, Tensor row)
    {
        var values = new float[row.Count];
        backend.Read(row, values);
        return values;
    }
}
