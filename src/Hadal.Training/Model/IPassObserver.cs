namespace Hadal.Training.Model;

/// <summary>Told of the parts of forwards and backwards. Times are those of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
internal interface IPassObserver
{
    /// <summary>A part was computed, which includes waiting for rows that it needed.</summary>
    /// <param name="part">Which.</param>
    /// <param name="layer">Of which layer of the whole model, MTP modules behind the last.</param>
    /// <param name="started">When it began.</param>
    /// <param name="ended">When it ended.</param>
    void Computed(PassPart part, int layer, long started, long ended);
}
