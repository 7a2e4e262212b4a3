namespace Hadal.Data.Pipeline.Work;

/// <summary>A piece of work whose result is a folder: the same bytes whenever and wherever it is done.</summary>
/// <param name="Weight">Its share of the stage, in bytes or the like.</param>
/// <param name="Write">Fills the folder.</param>
internal sealed record WorkTask(long Weight, Action<string, CancellationToken> Write);
