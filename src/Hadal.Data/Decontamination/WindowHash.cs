using Hadal.Data.Corpora;

namespace Hadal.Data.Decontamination;

/// <summary>The hash of the last so many words, carried from word to word: a polynomial over their hashes.</summary>
internal struct WindowHash
{
    private const ulong Base = 0x9E3779B97F4A7C15;
    private readonly ulong _leading;
    private ulong _sum;

    public WindowHash(int width)
    {
        _leading = 1;
        for (int i = 1; i < width; i++) _leading *= Base;
    }

    public readonly ulong Value => SplitHash.Mix(_sum);

    /// <summary>Takes a word in and the word out that leaves the window, 0 while it is not full.</summary>
    public void Move(ulong leaving, ulong entering) => _sum = (_sum - leaving * _leading) * Base + entering;
}
