namespace Hadal.Parallel.Layout;

/// <summary>Where a rank is in a <see cref="ParallelLayout"/>.</summary>
/// <param name="Pipeline">p.</param>
/// <param name="Data">d.</param>
/// <param name="Expert">e.</param>
internal readonly record struct RankPlace(int Pipeline, int Data, int Expert)
{
    /// <summary>Such as <c>pipeline 1, data 0, experts 2</c>.</summary>
    public override string ToString() => $"pipeline {Pipeline}, data {Data}, experts {Expert}";
}
