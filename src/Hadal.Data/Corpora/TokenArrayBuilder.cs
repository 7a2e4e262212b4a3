namespace Hadal.Data.Corpora;

/// <summary>A <see cref="TokenArray"/> that is still growing.</summary>
internal sealed class TokenArrayBuilder
{
    private readonly int _vocabularySize;
    private ushort[]? _narrow;
    private int[]? _wide;

    public TokenArrayBuilder(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        _vocabularySize = vocabularySize;
        if (vocabularySize <= 1 << 16) _narrow = new ushort[1024];
        else _wide = new int[1024];
    }

    public int Count { get; private set; }

    public void Append(ReadOnlySpan<int> ids)
    {
        int needed = CheckedCount(Count, ids.Length);
        Reserve(needed);
        for (int i = 0; i < ids.Length; i++)
        {
            int id = ids[i];
            if ((uint)id >= (uint)_vocabularySize) throw new DataException($"The tokenizer gave token {id}, outside its vocabulary of {_vocabularySize}.");
            if (_narrow is not null) _narrow[Count + i] = (ushort)id;
            else _wide![Count + i] = id;
        }

        Count = needed;
    }

    public TokenArray Build()
    {
        if (_narrow is not null && _narrow.Length != Count) Array.Resize(ref _narrow, Count);
        if (_wide is not null && _wide.Length != Count) Array.Resize(ref _wide, Count);
        return TokenArray.Own(_narrow, _wide, Count, _vocabularySize);
    }

    /// <exception cref="DataException">Together they pass what one array holds.</exception>
    public static int CheckedCount(int first, int second)
    {
        long sum = (long)first + second;
        return sum <= Array.MaxLength
            ? (int)sum
            : throw new DataException($"The corpus has more than {Array.MaxLength} tokens, which is what is held in memory; use a smaller part of it.");
    }

    private void Reserve(int needed)
    {
        int capacity = _narrow?.Length ?? _wide!.Length;
        if (needed <= capacity) return;
        int grown = (int)Math.Clamp(2L * capacity, needed, Array.MaxLength);
        if (_narrow is not null) Array.Resize(ref _narrow, grown);
        else Array.Resize(ref _wide, grown);
    }
}
