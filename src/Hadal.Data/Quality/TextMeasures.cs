using System.Text;

namespace Hadal.Data.Quality;

/// <summary>What the rules need to know about a text, counted in one pass. Keeps its buffers for the next text; not thread-safe.</summary>
internal sealed class TextMeasures
{
    private readonly CharacterClass[] _classes = CharacterClasses.Table;
    private long _wordLetters, _letters, _capitals, _digits, _marks, _ideographs, _frequent, _damage, _markup, _others;
    private long _tokens, _letterTokens, _wordTokens, _hashes, _ellipses, _bullets, _ellipsisLines, _endedLines, _shortLines, _lineCharacters, _breaks, _units, _letterUnits;
    private int _paragraphStart, _paragraphEnd;
    private bool _unspaced, _grams, _spans;

    public RepeatedSpans Lines { get; } = new();

    public RepeatedSpans Paragraphs { get; } = new();

    public RepeatedGrams Grams { get; } = new();

    /// <summary>The languages' bits of <see cref="StopWords"/> that were met.</summary>
    public ulong StopBits { get; private set; }

    public long Sentences { get; private set; }

    public int LongestLine { get; private set; }

    public long Words => _unspaced ? _units : _wordTokens;

    public double MeanWordLength => Share(_wordLetters, _wordTokens);

    public double LetterWords => _unspaced ? Share(_letterUnits, _units) : Share(_letterTokens, _tokens);

    public double HashRatio => Share(_hashes, Words);

    public double EllipsisRatio => Share(_ellipses, Words);

    public double BulletLines => Lines.Spans > 1 ? Share(_bullets, Lines.Spans) : 0;

    public double EllipsisLines => Lines.Spans > 1 ? Share(_ellipsisLines, Lines.Spans) : 0;

    public double EndedLines => Share(_endedLines, Lines.Spans);

    public double ShortLines => Share(_shortLines, Lines.Spans);

    public double MeanLineLength => Share(_lineCharacters, Lines.Spans);

    public double LineBreaksPerWord => Share(_breaks, Words);

    public double FrequentCharacters => Share(_frequent, _frequent + _ideographs);

    public double Alphanumeric => Share(Alphanumerics + _marks, Visible);

    public double DigitShare => Share(_digits, Alphanumerics);

    public double Capitals => Share(_capitals, _capitals + _letters + _ideographs + _frequent);

    public double Damage => Share(_damage, Visible);

    public double Markup => Share(_markup, Visible);

    public double RepeatedLineCharacters => Share(Lines.RepeatedCharacters, _lineCharacters);

    public double RepeatedParagraphCharacters => Share(Paragraphs.RepeatedCharacters, _lineCharacters);

    private long Alphanumerics => _letters + _capitals + _digits + _ideographs + _frequent;

    private long Visible => Alphanumerics + _marks + _others + _damage;

    /// <summary>Counts a text.</summary>
    public void Measure(ReadOnlySpan<char> text, TextForm form, QualityRules rules)
    {
        Reset(form, rules);
        ulong word = WordHash.Start;
        int wordLength = 0, lineStart = 0, tokenLetters = 0, markupEnd = 0;
        bool wordHasLetter = false, tokenHasLetter = false, token = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            var kind = _classes[c];
            if (kind is CharacterClass.Surrogate)
            {
                kind = Rune.DecodeFromUtf16(text[i..], out Rune rune, out int used) == System.Buffers.OperationStatus.Done ? CharacterClasses.Of(rune) : CharacterClass.Damage;
                if (used == 2) c = text[++i];
            }

            if (kind is CharacterClass.Letter or CharacterClass.Capital or CharacterClass.Digit or CharacterClass.Mark)
            {
                word = WordHash.Add(word, c);
                wordLength++;
                token = true;
                switch (kind)
                {
                    case CharacterClass.Letter:
                        _letters++;
                        wordHasLetter = true;
                        break;
                    case CharacterClass.Capital:
                        _capitals++;
                        wordHasLetter = true;
                        if (c is '\u00C2' or '\u00C3' && i + 1 < text.Length && IsContinuation(text[i + 1])) _damage += 2;
                        break;
                    case CharacterClass.Digit:
                        _digits++;
                        break;
                    default:
                        _marks++;
                        break;
                }

                continue;
            }

            if (wordLength > 0)
            {
                AddUnit(word, wordLength, wordHasLetter);
                tokenLetters += wordLength;
                tokenHasLetter |= wordHasLetter;
                (word, wordLength, wordHasLetter) = (WordHash.Start, 0, false);
            }

            switch (kind)
            {
                case CharacterClass.Blank:
                case CharacterClass.LineEnd:
                    if (token) EndToken(tokenLetters, tokenHasLetter);
                    (token, tokenLetters, tokenHasLetter) = (false, 0, false);
                    if (kind is CharacterClass.LineEnd)
                    {
                        _breaks++;
                        EndLine(text, lineStart, i, rules);
                        lineStart = i + 1;
                    }

                    continue;
                case CharacterClass.Ideograph:
                case CharacterClass.FrequentIdeograph:
                    if (kind is CharacterClass.Ideograph) _ideographs++;
                    else _frequent++;
                    AddUnit(WordHash.Add(WordHash.Start, c), 1, true);
                    (tokenLetters, tokenHasLetter) = (tokenLetters + 1, true);
                    break;
                case CharacterClass.Damage:
                    if (c != '\uFEFF' || i > 0) _damage++;
                    break;
                default:
                    _others++;
                    if (c is '<' or '&' && i >= markupEnd)
                    {
                        int length = MarkupAt(text[i..]);
                        _markup += length;
                        markupEnd = i + length;
                    }
                    else
                    {
                        CountSign(text, i, c);
                    }

                    break;
            }

            token = true;
        }

        if (wordLength > 0)
        {
            AddUnit(word, wordLength, wordHasLetter);
            tokenLetters += wordLength;
            tokenHasLetter |= wordHasLetter;
        }

        if (token) EndToken(tokenLetters, tokenHasLetter);
        if (lineStart < text.Length) EndLine(text, lineStart, text.Length, rules);
        EndParagraph(text);
        if (_grams) Grams.Finish();
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    /// <summary>Whether this follows Â or Ã where UTF-8 was read as Latin-1 or Windows-1252, in which no word has it there.</summary>
    private static bool IsContinuation(char c) => c is (>= '\u0080' and <= '\u00BF') or '\u20AC' or '\u201A' or '\u0192' or '\u201E' or '\u2026' or '\u2020' or '\u2021' or '\u02C6'
        or '\u2030' or '\u0160' or '\u2039' or '\u0152' or '\u017D' or '\u02DC' or '\u2122' or '\u0161' or '\u203A' or '\u0153' or '\u017E' or '\u0178';

    /// <summary>The length of the HTML tag or entity that begins here; 0 if none does.</summary>
    private static int MarkupAt(ReadOnlySpan<char> text)
    {
        if (text.Length < 3) return 0;
        if (text[0] == '&')
        {
            int i = text[1] == '#' ? 2 : 1, start = i;
            while (i < text.Length && i < 10 && char.IsAsciiLetterOrDigit(text[i])) i++;
            return i > start + 1 && i < text.Length && text[i] == ';' ? i + 1 : 0;
        }

        int name = text[1] == '/' ? 2 : 1;
        if (!char.IsAsciiLetter(text[name])) return 0;
        ReadOnlySpan<char> rest = text[name..Math.Min(text.Length, 256)];
        int end = rest.IndexOfAny("<>\n");
        return end > 0 && rest[end] == '>' ? name + end + 1 : 0;
    }

    private void Reset(TextForm form, QualityRules rules)
    {
        (_wordLetters, _letters, _capitals, _digits, _marks, _ideographs, _frequent, _damage, _markup, _others) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        (_tokens, _letterTokens, _wordTokens, _hashes, _ellipses, _bullets, _ellipsisLines, _endedLines, _shortLines) = (0, 0, 0, 0, 0, 0, 0, 0, 0);
        (_lineCharacters, _breaks, _units, _letterUnits, _paragraphStart, _paragraphEnd) = (0, 0, 0, 0, -1, 0);
        (StopBits, Sentences, LongestLine) = (0, 0, 0);
        _unspaced = form is TextForm.Unspaced;
        _grams = rules.MaxTopGrams is not null || rules.MaxDuplicateGrams is not null;
        _spans = rules.MaxDuplicateLines is not null || rules.MaxDuplicateParagraphs is not null || rules.MaxDuplicateLineCharacters is not null
            || rules.MaxDuplicateParagraphCharacters is not null;
        Lines.Reset();
        Paragraphs.Reset();
        Grams.Reset(rules, _unspaced ? 2 : 1);
    }

    private void AddUnit(ulong hash, int length, bool hasLetter)
    {
        _units++;
        if (hasLetter) _letterUnits++;
        StopBits |= StopWords.BitsOf(hash);
        if (_grams) Grams.Add(hash, length);
    }

    private void EndToken(int letters, bool hasLetter)
    {
        _tokens++;
        if (letters == 0) return;
        _wordTokens++;
        _wordLetters += letters;
        if (hasLetter) _letterTokens++;
    }

    private void CountSign(ReadOnlySpan<char> text, int i, char c)
    {
        switch (c)
        {
            case '#':
                _hashes++;
                break;
            case '…':
                if (i == 0 || text[i - 1] != '…') _ellipses++;
                break;
            case '.' or '!' or '?':
                bool last = i + 1 == text.Length || _classes[text[i + 1]] is CharacterClass.Blank or CharacterClass.LineEnd || text[i + 1] is '"' or '\'' or ')' or '”' or '’' or '»';
                if (last) Sentences++;
                if (c == '.' && i >= 2 && text[i - 1] == '.' && text[i - 2] == '.' && (i < 3 || text[i - 3] != '.')) _ellipses++;
                break;
            case '。' or '！' or '？' or '｡' or '．':
                Sentences++;
                break;
            case '\u20AC':
                if (i > 0 && text[i - 1] is '\u00E2' or '\u00E3') _damage += 2;
                break;
        }
    }

    private void EndLine(ReadOnlySpan<char> text, int start, int end, QualityRules rules)
    {
        LongestLine = Math.Max(LongestLine, end - start);
        ReadOnlySpan<char> line = text[start..end].Trim();
        if (line.IsEmpty)
        {
            EndParagraph(text);
            return;
        }

        if (_paragraphStart < 0) _paragraphStart = start;
        _paragraphEnd = end;
        _lineCharacters += line.Length;
        if (_spans) Lines.Add(line);
        else Lines.Count();
        if (line.Length <= rules.ShortLineLength) _shortLines++;
        if (LineEnds.IsBullet(line)) _bullets++;
        if (LineEnds.IsEllipsis(line)) _ellipsisLines++;
        if (LineEnds.EndsSentence(line)) _endedLines++;
    }

    private void EndParagraph(ReadOnlySpan<char> text)
    {
        if (_paragraphStart >= 0 && _spans) Paragraphs.Add(text[_paragraphStart.._paragraphEnd].Trim());
        _paragraphStart = -1;
    }
}
