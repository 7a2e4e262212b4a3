using Hadal.Model.Configuration;

namespace Hadal.Parallel.Experts;

/// <summary>Which rank of an expert-parallel group holds which routed experts: as many each, in the order of their numbers; ranks of a node in a row.</summary>
/// <remarks>With as many expert groups as nodes, a group's experts lie on one node, which is what node-limited routing counts on (report section 2.1.2).</remarks>
internal sealed class ExpertPlacement
{
    /// <param name="experts">Routed experts of a layer.</param>
    /// <param name="ranks">Ranks that share them.</param>
    /// <param name="ranksPerNode">Of these, how many in a row are one node.</param>
    /// <exception cref="ConfigException">They cannot be shared out evenly.</exception>
    public ExpertPlacement(int experts, int ranks, int ranksPerNode)
    {
        if (experts % ranks != 0)
            throw new ConfigException("run file", "parallel.experts", $"parallel.experts is {ranks}, but n_routed_experts ({experts}) has to be a multiple of it");
        if (ranks % ranksPerNode != 0)
            throw new ConfigException("run file", "parallel.ranks_per_node", $"parallel.ranks_per_node is {ranksPerNode}, but parallel.experts ({ranks}) has to be a multiple of it");
        (PerRank, RanksPerNode, Nodes) = (experts / ranks, ranksPerNode, ranks / ranksPerNode);
    }

    /// <summary>Experts of a rank.</summary>
    public int PerRank { get; }

    /// <summary>Ranks of a node.</summary>
    public int RanksPerNode { get; }

    /// <summary>Nodes.</summary>
    public int Nodes { get; }

    /// <summary>The rank that holds an expert.</summary>
    public int RankOf(int expert) => expert / PerRank;

    /// <summary>The node that holds it.</summary>
    public int NodeOf(int expert) => expert / PerRank / RanksPerNode;
}
