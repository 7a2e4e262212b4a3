using Hadal.Numerics;

namespace Hadal.Inference.Cache;

/// <summary>The paged latent cache: per layer and token, the normalised key-value latent and the rotated rope key (report section 2.1.1).</summary>
/// <remarks>
/// A page holds 64 tokens, in every layer at the same place, the MTP module's layer included. Pages are handed to sequences when tokens are computed and
/// come back when a sequence is truncated or disposed. Pages of prompts can be kept beyond their sequence and shared by sequences that begin with the same
/// tokens (<see cref="PrefixIndex"/>); kept pages that nobody holds make room when it is needed. The cache starts small and doubles up to its limit;
/// growing moves what is stored, so it happens between forward passes only. Not thread-safe.
/// </remarks>
public sealed class LatentCache : IDisposable
{
    /// <summary>Tokens in a page.</summary>
    public const int PageTokens = 64;
    private readonly IBackend _backend;
    private readonly Storage?[] _storages;
    private readonly Tensor[] _layers;
    private readonly int _columns;
    private int[] _free = [];
    private int _freeCount;
    private int[] _holders = [];
    private PrefixIndex? _prefixes;
    private bool _disposed;

    /// <summary>An empty cache.</summary>
    /// <param name="backend">Where the memory comes from.</param>
    /// <param name="layers">Layers that are cached, an MTP module's included.</param>
    /// <param name="rank">Width of the latent.</param>
    /// <param name="rope">Width of the rope key.</param>
    /// <param name="type">F32, BF16, or F8E4M3: 8-bit latents with a scale per token and 128 columns, rope keys in BF16.</param>
    /// <param name="initialTokens">Tokens to hold at first, rounded up to whole pages.</param>
    /// <param name="mostTokens">Tokens to hold at most, over all sequences, rounded up to whole pages.</param>
    /// <exception cref="ArgumentException">A size that is not positive, or another type.</exception>
    public LatentCache(IBackend backend, int layers, int rank, int rope, DType type, int initialTokens, int mostTokens)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rope);
        ArgumentOutOfRangeException.ThrowIfLessThan(initialTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostTokens, initialTokens);
        (_backend, _columns, Type) = (backend, LatentFormat.Columns(type, rank, rope), type);
        _storages = new Storage?[layers];
        _layers = new Tensor[layers];
        MostPages = PagesFor(mostTokens);
        Grow(PagesFor(initialTokens));
    }

    /// <summary>F32, BF16 or F8E4M3.</summary>
    public DType Type { get; }

    /// <summary>Pages that exist now.</summary>
    public int Pages { get; private set; }

    /// <summary>Pages that may exist.</summary>
    public int MostPages { get; }

    /// <summary>Existing pages that no sequence holds, those included that are kept for their tokens.</summary>
    public int FreePages => _freeCount + KeptPages;

    /// <summary>Pages that no sequence holds and that are kept because a prompt may begin with their tokens.</summary>
    public int KeptPages => _prefixes?.Kept ?? 0;

    /// <summary>Pages that sequences hold; a shared one counts once.</summary>
    public int HeldPages => Pages - FreePages;

    /// <summary>Bytes that the cache takes now.</summary>
    public long ByteLength => (long)Pages * PageTokens * BytesPerToken;

    /// <summary>Bytes that a token takes in all layers.</summary>
    public long BytesPerToken => (long)_layers.Length * _columns * Type.SizeOf();

    /// <summary>Starts a sequence.</summary>
    /// <param name="prompt">Its prompt, at least one token; copied.</param>
    /// <param name="expectedTokens">Tokens that the sequence is expected to reach, so that its lists need not grow.</param>
    /// <returns>The sequence, without pages yet; disposing it returns its pages.</returns>
    /// <exception cref="GenerationException">The prompt is empty.</exception>
    public Sequence CreateSequence(ReadOnlySpan<int> prompt, int expectedTokens = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Sequence(this, prompt, Math.Max(prompt.Length, expectedTokens));
    }

    /// <summary>Makes sure that so many pages are free, so that handing them out needs no growth. The cache grows before it gives up pages that it keeps.</summary>
    /// <param name="pages">How many.</param>
    /// <exception cref="GenerationException">The limit of the cache does not allow it.</exception>
    public void Reserve(int pages)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (pages <= _freeCount) return;
        int held = HeldPages;
        if (pages > MostPages - held)
        {
            throw new GenerationException(
                $"The latent cache is full: {held} of at most {MostPages} pages of {PageTokens} tokens are in use and {pages} more are needed; "
                + "end other sequences or give the cache more room.");
        }

        if (Pages < MostPages) Grow((int)Math.Min(MostPages, Math.Max(Pages + (long)pages - _freeCount, 2L * Pages)));
        while (_freeCount < pages) _free[_freeCount++] = _prefixes!.Evict();
    }

    /// <summary>Keeps the pages of prompts from now on, for sequences that begin with the same tokens.</summary>
    /// <returns>Which pages hold which tokens.</returns>
    internal PrefixIndex KeepPrefixes() => _prefixes ??= new PrefixIndex(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        foreach (var storage in _storages) storage?.Dispose();
    }

    /// <summary>Rows of a layer, [pages · 64, columns] as <see cref="LatentFormat"/> lays them out; valid until the cache grows.</summary>
    internal Tensor Layer(int layer) => _layers[layer];

    /// <summary>Pages that so many tokens take.</summary>
    internal static int PagesFor(int tokens) => (tokens - 1) / PageTokens + 1;

    /// <summary>A page for one more holder that has none yet.</summary>
    internal int Take()
    {
        Reserve(1);
        int page = _free[--_freeCount];
        _holders[page] = 1;
        return page;
    }

    /// <summary>One more sequence holds a page.</summary>
    internal void Hold(int page)
    {
        if (_holders[page]++ == 0) _prefixes!.Unkeep(page);
    }

    /// <summary>A sequence no longer holds a page.</summary>
    internal void Return(int page)
    {
        if (--_holders[page] > 0 || _prefixes?.Keep(page) == true) return;
        _free[_freeCount++] = page;
    }

    private void Grow(int pages)
    {
        long rows = (long)pages * PageTokens, bytes = checked(rows * _columns * Type.SizeOf());
        for (int l = 0; l < _layers.Length; l++)
        {
            var storage = _backend.CreateStorage(bytes);
            var layer = storage.View(0, Type, new Shape(rows, _columns));
            if (_storages[l] is { } old)
            {
                _backend.Copy(_layers[l], layer.RowRange(0, _layers[l].Rows));
                old.Dispose();
            }

            (_storages[l], _layers[l]) = (storage, layer);
        }

        Array.Resize(ref _free, pages);
        Array.Resize(ref _holders, pages);

        // The lowest page is on top: a sequence that has the cache for itself gets its pages in order.
        int added = pages - Pages;
        Array.Copy(_free, 0, _free, added, _freeCount);
        for (int i = 0; i < added; i++) _free[i] = pages - 1 - i;
        _freeCount += added;
        Pages = pages;
    }
}
