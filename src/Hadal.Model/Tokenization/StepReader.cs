using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>Reads the normalizer, pre-tokenizer and decoder of a tokenizer file; what is not supported is an error that names it.</summary>
internal static class StepReader
{
    private const int LongestAffix = 1000;

    internal static TextNormalizer? Normalizer(JsonField field)
    {
        if (field.IsNull) return null;
        string type = field.Member("type").RequireString();
        switch (type)
        {
            case "Sequence":
                List<TextNormalizer> links = [];
                foreach (JsonField part in Elements(field.Member("normalizers")))
                    if (Normalizer(part) is { } link) links.Add(link);
                return links.Count == 0 ? null : new TextNormalizer.Chain(links);
            case "NFC":
                return new TextNormalizer.Unicode(NormalizationForm.FormC);
            case "NFD":
                return new TextNormalizer.Unicode(NormalizationForm.FormD);
            case "NFKC":
                return new TextNormalizer.Unicode(NormalizationForm.FormKC);
            case "NFKD":
                return new TextNormalizer.Unicode(NormalizationForm.FormKD);
            case "Prepend":
                return new TextNormalizer.Prepend(Affix(field.Member("prepend")));
            case "Replace":
                return new TextNormalizer.Replace(Matcher(field.Member("pattern")), Affix(field.Member("content")));
            default:
                throw field.Place.Fault(
                    $"the normalizer {FilePlace.Quote(type)} is not supported; supported are Sequence, NFC, NFD, NFKC, NFKD, Prepend and Replace");
        }
    }

    internal static PreTokenizer PreTokenizer(JsonField field)
    {
        List<(string Type, JsonField Field)> flat = [];
        if (!field.IsNull) Flatten(field, flat);
        int byteLevel = flat.FindIndex(static s => s.Type == "ByteLevel");
        if (byteLevel < 0) throw field.Place.Fault("has no ByteLevel step, so this is not a byte-level BPE tokenizer, the only family supported");
        if (flat.FindLastIndex(static s => s.Type == "ByteLevel") != byteLevel) throw field.Place.Fault("has two ByteLevel steps, but only one is supported");

        JsonField bytes = flat[byteLevel].Field;
        bool prefixSpace = bytes.Member("add_prefix_space").BoolOr(true);
        bool gpt2Pattern = bytes.Member("use_regex").BoolOr(true);
        if (!prefixSpace && !gpt2Pattern && byteLevel == flat.Count - 1 && IsDeepSeekV3(flat)) return Tokenization.PreTokenizer.DeepSeekV3;
        return Tokenization.PreTokenizer.Of(
            [.. flat.Take(byteLevel).Select(Step)], prefixSpace, gpt2Pattern, [.. flat.Skip(byteLevel + 1).Select(Step)]);
    }

    /// <summary>Accepts the decoders that turn the byte alphabet back into bytes, and none at all, which can mean nothing else.</summary>
    internal static void Decoder(JsonField field)
    {
        if (field.IsNull) return;
        string type = field.Member("type").RequireString();
        if (type == "ByteLevel") return;
        if (type != "Sequence") throw field.Place.Fault($"the decoder {FilePlace.Quote(type)} is not supported; supported is ByteLevel");
        foreach (JsonField part in Elements(field.Member("decoders"))) Decoder(part);
    }

    internal static IEnumerable<JsonField> Elements(JsonField array)
    {
        int index = 0;
        foreach (System.Text.Json.JsonElement element in array.RequireArray().Element.EnumerateArray())
            yield return new JsonField(element, array.Place.Element(index++));
    }

    private static void Flatten(JsonField field, List<(string Type, JsonField Field)> flat)
    {
        string type = field.Member("type").RequireString();
        if (type != "Sequence")
        {
            flat.Add((type, field));
            return;
        }

        foreach (JsonField part in Elements(field.Member("pretokenizers"))) Flatten(part, flat);
    }

    /// <summary>True for the three Splits of DeepSeek-V3, recognised by their exact text.</summary>
    private static bool IsDeepSeekV3(List<(string Type, JsonField Field)> flat)
    {
        ReadOnlySpan<string> patterns = [DeepSeekV3Scanner.DigitPattern, DeepSeekV3Scanner.HanKanaPattern, DeepSeekV3Scanner.WordPattern];
        if (flat.Count != patterns.Length + 1) return false;
        for (int i = 0; i < patterns.Length; i++)
        {
            (string type, JsonField field) = flat[i];
            if (type != "Split" || Behavior(field) != SplitBehavior.Isolated || field.Member("invert").BoolOr(false)) return false;
            JsonField regex = field.Member("pattern").Member("Regex");
            if (regex.IsNull || regex.RequireString() != patterns[i]) return false;
        }

        return true;
    }

    private static SplitStep Step((string Type, JsonField Field) step)
    {
        JsonField field = step.Field;
        switch (step.Type)
        {
            case "Split":
                return new SplitStep(Matcher(field.Member("pattern")), Behavior(field), field.Member("invert").BoolOr(false));
            case "Digits":
                bool individual = field.Member("individual_digits").BoolOr(false);
                return new SplitStep(
                    new CodePointMatcher(UnicodeProperties.Number), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false);
            case "Punctuation":
                JsonField behavior = field.Member("behavior");
                return new SplitStep(
                    new CodePointMatcher(UnicodeProperties.Punctuation.Union(UnicodeProperties.AsciiPunctuation)),
                    behavior.IsNull ? SplitBehavior.Isolated : Behavior(field), invert: false);
            case "Whitespace":
                return new SplitStep(new CodePointPattern(@"\w+|[^\w\s]+", field.Place), SplitBehavior.Removed, invert: true);
            case "WhitespaceSplit":
                return new SplitStep(new CodePointMatcher(UnicodeProperties.WhiteSpace), SplitBehavior.Removed, invert: false);
            default:
                throw field.Place.Fault($"the pre-tokenizer {FilePlace.Quote(step.Type)} is not supported; supported are Sequence, Split, Digits, "
                    + "Punctuation, Whitespace, WhitespaceSplit and ByteLevel");
        }
    }

    private static SplitBehavior Behavior(JsonField step)
    {
        JsonField field = step.Member("behavior");
        return field.RequireString() switch
        {
            "Isolated" => SplitBehavior.Isolated,
            "Removed" => SplitBehavior.Removed,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            string other => throw field.Place.Fault(
                $"is {FilePlace.Quote(other)}, but must be Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous"),
        };
    }

    /// <summary>Reads {"Regex": …} or {"String": …}.</summary>
    private static IPieceMatcher Matcher(JsonField pattern)
    {
        JsonField regex = pattern.Member("Regex");
        if (!regex.IsNull) return new CodePointPattern(regex.RequireString(), regex.Place);
        JsonField literal = pattern.Member("String");
        if (literal.IsNull) throw pattern.Place.Fault("must hold a \"Regex\" or a \"String\"");
        string text = literal.RequireString();
        return text.Length > 0 ? new LiteralMatcher(text) : throw literal.Place.Fault("is empty, so it would match everywhere");
    }

    private static string Affix(JsonField field)
    {
        string text = field.RequireString();
        return text.Length <= LongestAffix ? text : throw field.Place.Fault($"has {text.Length} characters, more than the {LongestAffix} allowed");
    }
}
