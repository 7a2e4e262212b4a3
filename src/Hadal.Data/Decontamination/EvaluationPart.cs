namespace Hadal.Data.Decontamination;

/// <summary>The part of an evaluation item that was found.</summary>
public enum EvaluationPart
{
    /// <summary>The question.</summary>
    Question,

    /// <summary>The answer.</summary>
    Answer,

    /// <summary>The item as one text.</summary>
    Text,
}
