using System.Globalization;
using System.Text.Json;
using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>Token ids as text: a line <c>{"ids":[…]}</c> as <c>tokenizer encode</c> writes it, a JSON array, or numbers with blanks or commas between them.</summary>
internal static class TokenIdText
{
    private static readonly char[] _gaps = [' ', '\t', '\r', ',', '\uFEFF'];

    /// <summary>Reads the ids of one line and adds them.</summary>
    /// <param name="line">The line; an empty one has no ids.</param>
    /// <param name="place">What errors call it.</param>
    /// <param name="ids">Where the ids go.</param>
    public static void Read(string line, string place, List<int> ids)
    {
        string text = line.Trim(_gaps);
        if (text.StartsWith('{') || text.StartsWith('['))
        {
            ReadJson(text, place, ids);
            return;
        }

        foreach (var range in text.AsSpan().SplitAny(_gaps))
        {
            var part = text.AsSpan(range);
            if (part.IsEmpty) continue;
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int id)) throw Fault(place);
            ids.Add(id);
        }
    }

    private static void ReadJson(string text, string place, List<int> ids)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var array = document.RootElement;
            if (array.ValueKind == JsonValueKind.Object && !array.TryGetProperty("ids", out array)) throw Fault(place);
            if (array.ValueKind != JsonValueKind.Array) throw Fault(place);
            foreach (var element in array.EnumerateArray())
                ids.Add(element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id) ? id : throw Fault(place));
        }
        catch (JsonException e)
        {
            throw Fault(place, e);
        }
    }

    private static MistakeException Fault(string place, Exception? cause = null) => new($"{place} is not a list of token ids such as {{\"ids\":[1,2]}}, [1,2] or 1 2", cause);
}
