using Hadal.Inference.Cache;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Cache;

public class LatentCacheTests
{
    [Fact]
    public void Pages_are_handed_out_in_order_and_come_back()
    {
        using var backend = new CpuBackend(1);
        using var cache = new LatentCache(backend, 2, 3, 2, DType.F32, 4 * 64, 4 * 64);
        var first = cache.CreateSequence(new int[100]);
        using var second = cache.CreateSequence(new int[10]);
        first.EnsurePages(100);
        second.EnsurePages(10);
        Assert.Equal([0, 1], first.Pages.ToArray());
        Assert.Equal([2], second.Pages.ToArray());
        Assert.Equal(64 + 35, first.Slot(99));
        Assert.Equal(1, cache.FreePages);
        first.Dispose();
        first.Dispose();
        Assert.Equal(3, cache.FreePages);
        second.EnsurePages(4 * 64);
        Assert.Equal(0, cache.FreePages);
        Assert.Equal(4, second.Pages.ToArray().Distinct().Count());
    }

    [Fact]
    public void A_full_cache_says_so()
    {
        using var backend = new CpuBackend(1);
        using var cache = new LatentCache(backend, 1, 2, 2, DType.BF16, 64, 128);
        using var sequence = cache.CreateSequence(new int[10]);
        var error = Assert.Throws<GenerationException>(() => sequence.EnsurePages(129));
        Assert.Contains("full", error.Message, StringComparison.Ordinal);
        Assert.Empty(sequence.Pages.ToArray());
        sequence.EnsurePages(128);
        Assert.Equal(2, cache.Pages);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    public void Growing_keeps_what_is_stored(DType type)
    {
        using var backend = new CpuBackend(1);
        using var cache = new LatentCache(backend, 2, 2, 1, type, 64, 64 * 100);
        using var values = backend.CreateStorage(64 * 3 * sizeof(float));
        var rows = values.View(0, DType.F32, new Shape(64, 3));
        float[] numbers = [.. Enumerable.Range(0, 192).Select(i => (float)i)];
        backend.Write(numbers, rows);
        backend.WriteLatents(rows, 2, cache.Layer(1));
        var before = new float[192];
        backend.ReadLatents(cache.Layer(1), 2, rows);
        backend.Read(rows, before);
        if (type != DType.F8E4M3) Assert.Equal(numbers, before);
        cache.Reserve(50);
        Assert.True(cache.Pages is >= 50 and <= 100);
        backend.ReadLatents(cache.Layer(1).RowRange(0, 64), 2, rows);
        var read = new float[192];
        backend.Read(rows, read);
        Assert.Equal(before, read);
    }

    [Fact]
    public void Truncating_takes_back_tokens_cached_lengths_and_pages()
    {
        using var backend = new CpuBackend(1);
        using var cache = new LatentCache(backend, 1, 2, 2, DType.F32, 64 * 4, 64 * 4);
        using var sequence = cache.CreateSequence(new int[60]);
        for (int i = 0; i < 10; i++) sequence.Append(i);
        sequence.EnsurePages(70);
        (sequence.CachedLength, sequence.MtpLength) = (70, 69);
        sequence.Truncate(65);
        Assert.Equal((65, 65, 64, 2), (sequence.Count, sequence.CachedLength, sequence.MtpLength, sequence.Pages.Length));
        sequence.Truncate(64);
        Assert.Equal((64, 64, 63, 1), (sequence.Count, sequence.CachedLength, sequence.MtpLength, sequence.Pages.Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Truncate(59));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Truncate(65));
    }

    [Fact]
    public void An_empty_prompt_is_refused()
    {
        using var backend = new CpuBackend(1);
        using var cache = new LatentCache(backend, 1, 2, 2, DType.F32, 64, 64);
        Assert.Throws<GenerationException>(() => cache.CreateSequence([]));
    }
}
