namespace Hadal.Inference.Cache;

/// <summary>One text in work: its tokens, how many of them the cache holds, and in which pages.</summary>
/// <remarks>
/// Tokens below <see cref="PromptLength"/> are prompt: their attention is computed in the expanded form; later tokens use the absorbed form. That is decided
/// by position alone, so a token's logits have the same bits however the work was cut. Tokens may be appended tentatively (drafts) and taken back with
/// <see cref="Truncate"/>. Not thread-safe.
/// </remarks>
public sealed class Sequence : IDisposable
{
    private readonly LatentCache _cache;
    private int[] _tokens;
    private int[] _pages;
    private int _pageCount;
    private bool _disposed;

    internal Sequence(LatentCache cache, ReadOnlySpan<int> prompt, int expectedTokens)
    {
        if (prompt.IsEmpty)
            throw new GenerationException("The prompt has no tokens; a text to continue needs at least one (for instance the begin-of-text token).");
        _cache = cache;
        _tokens = new int[expectedTokens];
        _pages = new int[LatentCache.PagesFor(expectedTokens)];
        prompt.CopyTo(_tokens);
        Count = PromptLength = prompt.Length;
    }

    /// <summary>Prompt and generated tokens.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    /// <summary>Number of tokens.</summary>
    public int Count { get; private set; }

    /// <summary>Tokens that belong to the prompt.</summary>
    public int PromptLength { get; }

    /// <summary>Tokens whose latents the main model's layers hold: positions 0 … CachedLength - 1.</summary>
    public int CachedLength { get; internal set; }

    /// <summary>Positions whose latents the MTP module's layer holds; position i is computed from hidden state i and token i + 1.</summary>
    public int MtpLength { get; internal set; }

    internal LatentCache Cache => _cache;

    internal ReadOnlySpan<int> Pages => _pages.AsSpan(0, _pageCount);

    /// <summary>Appends a token, generated or drafted.</summary>
    /// <param name="token">Its id.</param>
    public void Append(int token)
    {
        if (Count == _tokens.Length) Array.Resize(ref _tokens, checked(Count * 2));
        _tokens[Count++] = token;
    }

    /// <summary>Takes back the tokens from a place on, with what the cache holds of them; pages that become empty are returned.</summary>
    /// <param name="count">Tokens to keep, at least the prompt.</param>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, PromptLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count = count;
        CachedLength = Math.Min(CachedLength, count);
        MtpLength = Math.Min(MtpLength, Math.Max(0, count - 1));
        ReleasePages(LatentCache.PagesFor(count));
    }

    /// <summary>Returns the pages. The tokens stay readable.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        ReleasePages(0);
    }

    /// <summary>Makes sure that there are pages for positions 0 … length - 1.</summary>
    internal void EnsurePages(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int needed = LatentCache.PagesFor(length);
        if (needed <= _pageCount) return;
        if (needed > _pages.Length) Array.Resize(ref _pages, Math.Max(needed, 2 * _pages.Length));
        _cache.Reserve(needed - _pageCount);
        while (_pageCount < needed) _pages[_pageCount++] = _cache.Take();
    }

    /// <summary>Row of the cache that holds a position.</summary>
    internal int Slot(int position) => _pages[position / LatentCache.PageTokens] * LatentCache.PageTokens + position % LatentCache.PageTokens;

    /// <summary>Adds a page that holds the prompt's next 64 tokens, in all layers.</summary>
    internal void AddShared(int page)
    {
        if (_pageCount == _pages.Length) Array.Resize(ref _pages, 2 * _pageCount);
        _pages[_pageCount++] = page;
        CachedLength = MtpLength = _pageCount * LatentCache.PageTokens;
    }

    /// <summary>Puts another page with the same contents in a page's place.</summary>
    /// <returns>The one that was there.</returns>
    internal int Replace(int index, int page)
    {
        int old = _pages[index];
        _pages[index] = page;
        return old;
    }

    private void ReleasePages(int keep)
    {
        while (_pageCount > keep) _cache.Return(_pages[--_pageCount]);
    }
}
