namespace Hadal.Training.Runs;

/// <summary>A run that cannot start or go on: the sentence says why and what would be right.</summary>
public sealed class TrainingException : Exception
{
    /// <summary>A reason.</summary>
    /// <param name="message">One sentence.</param>
    public TrainingException(string message)
        : base(message)
    {
    }
}
