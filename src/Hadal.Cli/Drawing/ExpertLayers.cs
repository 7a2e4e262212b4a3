namespace Hadal.Cli.Drawing;

/// <summary>How the expert layers of a run are called and which of them are shown where there is no room for all.</summary>
internal static class ExpertLayers
{
    /// <summary>Names of the expert layers in the order of the metrics: the main model's, then the MTP modules'.</summary>
    /// <param name="count">Expert layers in all.</param>
    /// <param name="mtpModules">MTP modules of the run; each has one expert layer, the last ones.</param>
    /// <param name="firstLayer">Number of the first layer with experts in the main model, or null where it is not known.</param>
    /// <returns>One name a layer: <c>layer 3</c> (<c>MoE 1</c> where numbers are not known), <c>MTP 1</c>.</returns>
    public static string[] Names(int count, int mtpModules, int? firstLayer)
    {
        // A module without experts of its own counts no load: then all layers belong to the main model.
        int main = mtpModules < count ? count - mtpModules : count;
        var names = new string[count];
        for (int i = 0; i < count; i++)
        {
            names[i] = i >= main ? $"MTP {i - main + 1}" : firstLayer is { } first ? $"layer {first + i}" : $"MoE {i + 1}";
        }

        return names;
    }

    /// <summary>Chooses layers evenly from first to last.</summary>
    /// <param name="count">Layers in all.</param>
    /// <param name="room">Layers that can be shown.</param>
    /// <returns>Ascending indices, all of them where there is room.</returns>
    public static int[] Choose(int count, int room)
    {
        int shown = Math.Max(0, Math.Min(count, room));
        var chosen = new int[shown];
        for (int i = 0; i < shown; i++) chosen[i] = shown == 1 ? count - 1 : (int)((long)i * (count - 1) / (shown - 1));
        return chosen;
    }
}
