using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Cuts text into the pieces that byte-pair merges work in: Split steps on characters, one ByteLevel step, and (rarely) Split steps on the
/// byte alphabet after it.
/// </summary>
internal sealed class PreTokenizer
{
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private static readonly Lazy<SplitStep> _gpt2Step = new(
        static () => new SplitStep(new CodePointPattern(Gpt2Pattern, default), SplitBehavior.Isolated, invert: false));

    private readonly SplitStep[] _steps;
    private readonly SplitStep[] _byteSteps;
    private readonly bool _prefixSpace;
    private readonly bool _deepSeekV3;

    private PreTokenizer(SplitStep[] steps, bool prefixSpace, SplitStep[] byteSteps, bool deepSeekV3)
    {
        _steps = steps;
        _byteSteps = byteSteps;
        _prefixSpace = prefixSpace;
        _deepSeekV3 = deepSeekV3;
    }

    /// <summary>The pre-tokenizer of DeepSeek-V3, run by a scanner made for it.</summary>
    internal static PreTokenizer DeepSeekV3 { get; } = new([], false, [], deepSeekV3: true);

    /// <summary>True when the pieces come from the scanner made for DeepSeek-V3.</summary>
    internal bool IsDeepSeekV3 => _deepSeekV3;

    /// <summary>A pre-tokenizer of any steps.</summary>
    /// <param name="steps">Steps before ByteLevel.</param>
    /// <param name="prefixSpace">ByteLevel puts a blank before every piece that does not start with one.</param>
    /// <param name="gpt2Pattern">ByteLevel cuts by the GPT-2 pattern.</param>
    /// <param name="byteSteps">Steps after ByteLevel, which see the byte alphabet.</param>
    internal static PreTokenizer Of(SplitStep[] steps, bool prefixSpace, bool gpt2Pattern, SplitStep[] byteSteps)
    {
        // The blank goes before the pieces of the earlier steps and the GPT-2 pattern sees it; without one it is simply a further step.
        if (!gpt2Pattern) return new PreTokenizer(steps, prefixSpace, byteSteps, deepSeekV3: false);
        return prefixSpace
            ? new PreTokenizer(steps, true, byteSteps, deepSeekV3: false) { CutsAfterPrefix = true }
            : new PreTokenizer([.. steps, _gpt2Step.Value], false, byteSteps, deepSeekV3: false);
    }

    private bool CutsAfterPrefix { get; init; }

    /// <summary>Hands the pieces of well-formed text (no lone surrogates) to a sink, in order.</summary>
    internal void Split<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : IPieceSink, allows ref struct
    {
        if (text.IsEmpty) return;
        if (_deepSeekV3)
        {
            DeepSeekV3Scanner.Split(text, ref sink);
            return;
        }

        Work work = Work.Rent();
        ReadOnlySpan<char> source = text;
        work.Pieces.Add((0, text.Length));
        foreach (SplitStep step in _steps) work.Apply(step, source);
        if (_prefixSpace)
        {
            source = work.Rewrite(source, static (piece, buffer) =>
            {
                if (piece[0] != ' ') buffer.Append(' ');
                buffer.Append(piece);
            });
            if (CutsAfterPrefix) work.Apply(_gpt2Step.Value, source);
        }

        if (_byteSteps.Length > 0)
        {
            source = work.Rewrite(source, static (piece, buffer) =>
            {
                foreach (byte b in Encoding.UTF8.GetBytes(piece.ToArray())) buffer.Append(ByteAlphabet.CharOf(b));
            });
            foreach (SplitStep step in _byteSteps) work.Apply(step, source);
            foreach ((int start, int end) in work.Pieces) sink.AddMapped(source[start..end]);
        }
        else
        {
            foreach ((int start, int end) in work.Pieces) sink.Add(source[start..end]);
        }

        work.Return();
    }

    private delegate void Rewriter(ReadOnlySpan<char> piece, StringBuilder buffer);

    /// <summary>The lists a split works with, kept for the thread's next one.</summary>
    private sealed class Work
    {
        private const int LargestKept = 1 << 16;

        [ThreadStatic]
        private static Work? _spare;

        private readonly List<(int Start, int End)> _matches = [];
        private List<(int Start, int End)> _next = [];

        internal List<(int Start, int End)> Pieces { get; private set; } = [];

        internal static Work Rent()
        {
            Work work = _spare ?? new Work();
            _spare = null;
            work.Pieces.Clear();
            return work;
        }

        internal void Return()
        {
            if (_matches.Capacity + _next.Capacity + Pieces.Capacity <= LargestKept) _spare = this;
        }

        internal void Apply(SplitStep step, ReadOnlySpan<char> source)
        {
            _next.Clear();
            foreach ((int start, int end) in Pieces) step.Split(source[start..end], start, _matches, _next);
            (Pieces, _next) = (_next, Pieces);
        }

        internal string Rewrite(ReadOnlySpan<char> source, Rewriter rewrite)
        {
            StringBuilder buffer = new(source.Length + Pieces.Count);
            for (int i = 0; i < Pieces.Count; i++)
            {
                int start = buffer.Length;
                rewrite(source[Pieces[i].Start..Pieces[i].End], buffer);
                Pieces[i] = (start, buffer.Length);
            }

            return buffer.ToString();
        }
    }
}
