using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>Keeps the pieces of a text.</summary>
internal readonly struct PieceList() : IPieceSink
{
    internal List<string> Pieces { get; } = [];

    public void Add(ReadOnlySpan<char> piece) => Pieces.Add(piece.ToString());

    public void AddMapped(ReadOnlySpan<char> piece) => Pieces.Add("mapped:" + piece.ToString());

    internal static List<string> Of(PreTokenizer preTokenizer, string text)
    {
        PieceList list = new();
        preTokenizer.Split(text, ref list);
        return list.Pieces;
    }

    internal static List<string> Of(SplitStep step, string text) => Of(PreTokenizer.Of([step], prefixSpace: false, gpt2Pattern: false, []), text);
}
