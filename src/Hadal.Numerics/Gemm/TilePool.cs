using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>A product that can be cut into independent tiles.</summary>
internal interface ITiledProduct
{
    /// <summary>Multiply-adds, with the cost of reading weights for few rows; 0 if there are no rows.</summary>
    long Work { get; }

    /// <summary>Tiles that it is cut into.</summary>
    /// <param name="workPerTile">Multiply-adds that a tile should have at most, as far as the smallest tile allows.</param>
    int CountTiles(long workPerTile);

    /// <summary>Computes a tile.</summary>
    /// <param name="tile">0 … <see cref="CountTiles"/> - 1.</param>
    /// <param name="workPerTile">As for <see cref="CountTiles"/>.</param>
    /// <param name="form">Which form of the kernels.</param>
    void RunTile(int tile, long workPerTile, KernelForm form);
}

/// <summary>How finely products are cut.</summary>
/// <param name="WorkPerThread">With less work than this in all, the calling thread does it alone.</param>
/// <param name="TilesPerThread">The more, the less the slowest thread makes the others wait; the fewer, the less is done twice.</param>
/// <param name="LeastPerTile">A smaller tile is not worth the trouble.</param>
internal readonly record struct TileGrain(long WorkPerThread, int TilesPerThread, long LeastPerTile);

/// <summary>Runs independent products as one pool of tiles: sizes may differ widely and be 0.</summary>
internal static unsafe class TilePool
{
    private const int OnStack = 512;

    /// <summary>Runs all products and returns when the last is done.</summary>
    public static void Run<TProduct>(ThreadTeam team, TProduct* products, int count, KernelForm form, in TileGrain grain)
        where TProduct : unmanaged, ITiledProduct
    {
        long work = 0;
        for (int i = 0; i < count; i++) work += products[i].Work;
        bool isAlone = team.Threads == 1 || work < grain.WorkPerThread;
        long workPerTile = isAlone ? long.MaxValue : Math.Max(work / (team.Threads * grain.TilesPerThread), grain.LeastPerTile);
        int* starts = stackalloc int[OnStack + 1];
        for (int first = 0; first < count; first += OnStack)
        {
            int group = Math.Min(OnStack, count - first), tiles = 0;
            for (int i = 0; i < group; i++)
            {
                starts[i] = tiles;
                tiles = checked(tiles + products[first + i].CountTiles(workPerTile));
            }

            starts[group] = tiles;
            var job = new TileJob<TProduct> { Products = products + first, Starts = starts, Count = group, WorkPerTile = workPerTile, Form = form };
            team.Run(tiles, ref job, isAlone);
        }
    }

    /// <summary>The last product that starts at or before an item; empty products share their start with the one after them.</summary>
    /// <param name="starts">First item of each product, never decreasing.</param>
    /// <param name="count">How many products.</param>
    /// <param name="item">The item.</param>
    public static int Owner(int* starts, int count, int item)
    {
        int low = 0, high = count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (starts[middle] <= item) low = middle;
            else high = middle - 1;
        }

        return low;
    }

    private struct TileJob<TProduct> : ITeamJob
        where TProduct : unmanaged, ITiledProduct
    {
        public TProduct* Products;
        public int* Starts;
        public int Count;
        public long WorkPerTile;
        public KernelForm Form;

        public readonly void Execute(int item, int worker)
        {
            int owner = Owner(Starts, Count, item);
            Products[owner].RunTile(item - Starts[owner], WorkPerTile, Form);
        }
    }
}
