namespace Hadal.Model.Tokenization;

/// <summary>What a Split step does with its matches; the names are those of the file format.</summary>
internal enum SplitBehavior
{
    /// <summary>Every match is a piece, and so is every stretch between matches.</summary>
    Isolated,

    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>A match joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match joins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Matches that touch are one piece.</summary>
    Contiguous,
}
