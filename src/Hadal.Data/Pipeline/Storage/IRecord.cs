namespace Hadal.Data.Pipeline.Storage;

/// <summary>A row of fixed size that is sorted outside of memory and cut into ranges by its leading 64 bits.</summary>
/// <typeparam name="TSelf">The row itself.</typeparam>
internal interface IRecord<TSelf> : IComparable<TSelf> where TSelf : unmanaged, IRecord<TSelf>
{
    /// <summary>What ranges are cut by; never descending along the order.</summary>
    ulong Leading { get; }
}
