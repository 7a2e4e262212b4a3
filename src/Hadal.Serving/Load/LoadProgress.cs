namespace Hadal.Serving.Load;

/// <summary>How far a measurement has come.</summary>
/// <param name="Seconds">Since its beginning.</param>
/// <param name="Sent">Requests sent.</param>
/// <param name="Ended">Of these, ended in whatever way.</param>
/// <param name="Failed">Of these, with an error.</param>
/// <param name="Pieces">Pieces of answers that have come.</param>
public sealed record LoadProgress(double Seconds, int Sent, int Ended, int Failed, long Pieces);
