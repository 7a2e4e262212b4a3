namespace Hadal.Data.Sources;

/// <summary>Receives what could not be used. One file's problems come in the order of the file, from the thread that reads it.</summary>
public interface IReadReport
{
    /// <summary>Takes a problem; a file of nothing but bad lines gives one a line, so what is kept must be bounded.</summary>
    /// <param name="problem">What, where, and what was done.</param>
    void Add(ReadProblem problem);
}
