namespace Hadal.Data.Corpora;

/// <summary>A run of token ids held compactly: 2 bytes a token while the vocabulary has at most 65,536 entries, else 4.</summary>
public sealed class TokenArray
{
    private readonly ushort[]? _narrow;
    private readonly int[]? _wide;

    private TokenArray(ushort[]? narrow, int[]? wide, int count, int vocabularySize)
    {
        _narrow = narrow;
        _wide = wide;
        Count = count;
        VocabularySize = vocabularySize;
    }

    /// <summary>Number of tokens.</summary>
    public int Count { get; }

    /// <summary>Every id is in [0, VocabularySize).</summary>
    public int VocabularySize { get; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _narrow is not null ? 2L * _narrow.Length : 4L * _wide!.Length;

    /// <summary>The token at a position in [0, Count).</summary>
    public int this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return _narrow is not null ? _narrow[index] : _wide![index];
        }
    }

    /// <summary>Holds a copy of the ids.</summary>
    /// <exception cref="DataException">An id is not in [0, vocabularySize).</exception>
    public static TokenArray From(ReadOnlySpan<int> ids, int vocabularySize)
    {
        var builder = new TokenArrayBuilder(vocabularySize);
        builder.Append(ids);
        return builder.Build();
    }

    /// <summary>Copies tokens [start, start + destination.Length); allocates nothing.</summary>
    public void CopyTo(int start, Span<int> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Count - start, nameof(destination));
        if (_wide is not null)
        {
            _wide.AsSpan(start, destination.Length).CopyTo(destination);
            return;
        }

        ReadOnlySpan<ushort> source = _narrow.AsSpan(start, destination.Length);
        for (int i = 0; i < source.Length; i++) destination[i] = source[i];
    }

    /// <summary>A copy of tokens [start, start + count) as an array of its own.</summary>
    internal TokenArray Slice(int start, int count)
    {
        ushort[]? narrow = _narrow?.AsSpan(start, count).ToArray();
        int[]? wide = _wide?.AsSpan(start, count).ToArray();
        return new TokenArray(narrow, wide, count, VocabularySize);
    }

    /// <summary>This run followed by another of the same vocabulary.</summary>
    internal TokenArray Concat(TokenArray other)
    {
        int count = TokenArrayBuilder.CheckedCount(Count, other.Count);
        ushort[]? narrow = _narrow is null ? null : [.. _narrow.AsSpan(0, Count), .. other._narrow.AsSpan(0, other.Count)];
        int[]? wide = _wide is null ? null : [.. _wide.AsSpan(0, Count), .. other._wide.AsSpan(0, other.Count)];
        return new TokenArray(narrow, wide, count, VocabularySize);
    }

    internal static TokenArray Own(ushort[]? narrow, int[]? wide, int count, int vocabularySize) => new(narrow, wide, count, vocabularySize);
}
