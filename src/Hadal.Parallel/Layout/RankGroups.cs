using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Layout;

/// <summary>The groups that a rank moves tensors in.</summary>
internal sealed class RankGroups : IDisposable
{
    /// <summary>Made by all ranks of the world together.</summary>
    /// <param name="world">All ranks.</param>
    /// <param name="layout">How they are used.</param>
    /// <param name="embeds">Whether a pipeline place looks tokens up.</param>
    public RankGroups(ICollective world, ParallelLayout layout, Func<int, bool> embeds)
    {
        World = world;
        Place = layout.PlaceOf(world.Rank);
        int replica = Place.Data * layout.Experts + Place.Expert, copy = layout.CopyOf(Place.Pipeline);
        Pipeline = world.Split(replica, Place.Pipeline);
        Peers = world.Split(Place.Pipeline, replica);
        Experts = world.Split(Place.Pipeline * layout.Data + Place.Data, Place.Expert);
        Copies = world.Split(copy, world.Rank);
        ExpertCopies = world.Split(copy * layout.Experts + Place.Expert, world.Rank);
        Embedding = world.Split(embeds(Place.Pipeline) ? 0 : 1, world.Rank);
    }

    /// <summary>All ranks.</summary>
    public ICollective World { get; }

    /// <summary>This rank's place.</summary>
    public RankPlace Place { get; }

    /// <summary>The ranks of this pipeline, in its order.</summary>
    public ICollective Pipeline { get; }

    /// <summary>The ranks of this pipeline place.</summary>
    public ICollective Peers { get; }

    /// <summary>The ranks that share out the experts of the same stages.</summary>
    public ICollective Experts { get; }

    /// <summary>The ranks that hold the same stages.</summary>
    public ICollective Copies { get; }

    /// <summary>The ranks that hold the same experts.</summary>
    public ICollective ExpertCopies { get; }

    /// <summary>The ranks that look tokens up: as input, or for MTP modules; another group for the others.</summary>
    public ICollective Embedding { get; }

    public void Dispose()
    {
        foreach (var group in new[] { Pipeline, Peers, Experts, Copies, ExpertCopies, Embedding }) group.Dispose();
    }
}
