namespace Hadal.Model.Tokenization;

/// <summary>Finds what a Split step cuts at.</summary>
internal interface IPieceMatcher
{
    /// <summary>Appends where each match starts and ends, from left to right, in UTF-16 units of well-formed text.</summary>
    void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> matches);
}
