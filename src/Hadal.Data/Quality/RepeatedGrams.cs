namespace Hadal.Data.Quality;

/// <summary>
/// Counts repeated n-grams of words given as hashes. Words are taken in stretches of <see cref="Stretch"/> so that memory is bounded whatever the text; repeats are looked for
/// within a stretch. Not thread-safe.
/// </summary>
/// <remarks>
/// An n-gram's hash is a polynomial over its words' hashes, carried from window to window. 31 bits of it are kept: in a full stretch of 2^17 an n-gram is
/// taken for another one with a probability of 2^-14 at most, which moves a share by less than 0.0001.
/// </remarks>
internal sealed class RepeatedGrams
{
    public const int Stretch = 1 << 17;
    private const ulong Base = 0x9E3779B97F4A7C15;
    private const int LongestGram = 16;
    private readonly long[] _duplicate = new long[LongestGram + 1];
    private readonly long[] _top = new long[LongestGram + 1];
    private ulong[] _words = new ulong[1024];
    private int[] _ends = new int[1025];
    private uint[] _windows = new uint[1024];
    private uint[] _keys = new uint[2048];
    private int[] _counts = new int[2048];
    private QualityRules _rules = new();
    private int _count, _windowWords;
    private long _characters;

    /// <summary>Forgets everything; n-grams are of n times <paramref name="windowWords"/> words.</summary>
    public void Reset(QualityRules rules, int windowWords)
    {
        (_rules, _windowWords, _count, _characters) = (rules, windowWords, 0, 0);
        Array.Clear(_duplicate);
        Array.Clear(_top);
    }

    /// <summary>Adds a word of so many characters.</summary>
    public void Add(ulong word, int length)
    {
        if (_count == _words.Length)
        {
            if (_count == Stretch)
            {
                Finish();
            }
            else
            {
                Array.Resize(ref _words, _count * 2);
                Array.Resize(ref _ends, _count * 2 + 1);
            }
        }

        _words[_count] = word;
        _ends[_count + 1] = _ends[_count] + length;
        _count++;
    }

    /// <summary>Counts what was added since the last stretch was full.</summary>
    public void Finish()
    {
        _characters += _ends[_count];
        if (_rules.MaxTopGrams is { } top)
        {
            foreach (int n in top.Keys) _top[n] += Top(n * _windowWords);
        }

        if (_rules.MaxDuplicateGrams is { } duplicate)
        {
            foreach (int n in duplicate.Keys) _duplicate[n] += Duplicate(n * _windowWords);
        }

        _count = 0;
    }

    /// <summary>The share of the characters in the most frequent n-gram, 0 if none occurs twice.</summary>
    public double TopShare(int n) => _characters == 0 ? 0 : Math.Min(1, (double)_top[n] / _characters);

    /// <summary>The share of the characters in n-grams that repeat an earlier one.</summary>
    public double DuplicateShare(int n) => _characters == 0 ? 0 : (double)_duplicate[n] / _characters;

    private long Top(int width)
    {
        int windows = Windows(width);
        if (windows < 2) return 0;
        int mask = Clear(windows);
        _counts.AsSpan(0, mask + 1).Clear();
        long most = 0;
        for (int i = 0; i < windows; i++)
        {
            uint key = _windows[i];
            int slot = (int)(key >> 1) & mask;
            while (_keys[slot] != 0 && _keys[slot] != key) slot = (slot + 1) & mask;
            _keys[slot] = key;
            int count = ++_counts[slot];
            if (count > 1) most = Math.Max(most, (long)count * (_ends[i + width] - _ends[i]));
        }

        return most;
    }

    private long Duplicate(int width)
    {
        int windows = Windows(width);
        if (windows < 2) return 0;
        int mask = Clear(windows);
        long repeated = 0;
        for (int i = 0; i < windows;)
        {
            uint key = _windows[i];
            int slot = (int)(key >> 1) & mask;
            while (_keys[slot] != 0 && _keys[slot] != key) slot = (slot + 1) & mask;
            if (_keys[slot] == key)
            {
                // Steps over the repeat, so that no character counts twice.
                repeated += _ends[i + width] - _ends[i];
                i += width;
            }
            else
            {
                _keys[slot] = key;
                i++;
            }
        }

        return repeated;
    }

    private int Windows(int width)
    {
        int windows = _count - width + 1;
        if (windows < 2) return 0;
        if (_windows.Length < windows) _windows = new uint[_words.Length];
        ulong leading = 1, sum = 0;
        for (int i = 1; i < width; i++) leading *= Base;
        for (int i = 0; i < width; i++) sum = sum * Base + _words[i];
        _windows[0] = Mixed(sum);
        for (int i = 1; i < windows; i++)
        {
            sum = (sum - _words[i - 1] * leading) * Base + _words[i + width - 1];
            _windows[i] = Mixed(sum);
        }

        return windows;
    }

    private int Clear(int windows)
    {
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)windows * 2);
        if (_keys.Length < size)
        {
            _keys = new uint[size];
            _counts = new int[size];
        }
        else
        {
            _keys.AsSpan(0, size).Clear();
        }

        return size - 1;
    }

    // Zero marks an empty slot.
    private static uint Mixed(ulong sum) => (uint)(((sum ^ (sum >> 32)) * 0xD6E8FEB86659FD93) >> 32) | 1;
}
