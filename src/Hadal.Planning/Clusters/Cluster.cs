namespace Hadal.Planning.Clusters;

/// <summary>The machines of a plan: equal devices in equal nodes.</summary>
public sealed record Cluster
{
    /// <summary>What the devices are called.</summary>
    public string Name { get; init; } = "h800";

    /// <summary>Devices of a node, joined by the fast links.</summary>
    public int DevicesPerNode { get; init; } = 8;

    /// <summary>Bytes of memory of a device that a run may use.</summary>
    public double MemoryBytes { get; init; } = 80e9;

    /// <summary>Peak of dense FP8 products, 10¹² operations a second.</summary>
    public double Fp8Tflops { get; init; } = 1979;

    /// <summary>Peak of dense BF16 products, 10¹² operations a second; MFU is against this one, as the report's authors count.</summary>
    public double Bf16Tflops { get; init; } = 989.5;

    /// <summary>What large BF16 products reach, 10¹² operations a second: FlashMLA's compute-bound rate, the only one published for these devices.</summary>
    public double Bf16ReachedTflops { get; init; } = 660;

    /// <summary>What large FP8 products reach, 10¹² operations a second: DeepGEMM, 4096 rows, 4096×7168 of the experts.</summary>
    public double Fp8ReachedTflops { get; init; } = 1304;

    /// <summary>Bandwidth of a device's memory, 10⁹ bytes a second.</summary>
    public double MemoryGbPerS { get; init; } = 3350;

    /// <summary>What kernels bound by memory reach, 10⁹ bytes a second: FlashMLA's decoding.</summary>
    public double MemoryReachedGbPerS { get; init; } = 3000;

    /// <summary>Bandwidth of a device to others of its node that can be used, 10⁹ bytes a second (NVLink; report section 3.2.2).</summary>
    public double NodeGbPerS { get; init; } = 160;

    /// <summary>Bandwidth of a device to other nodes, 10⁹ bytes a second (InfiniBand).</summary>
    public double NetworkGbPerS { get; init; } = 50;

    /// <summary>Price of a device for an hour, dollars.</summary>
    public double DollarsPerDeviceHour { get; init; } = 2;

    /// <summary>What a layer's parts take; the ordinary values were measured on H800 and are scaled by peak rates.</summary>
    public LayerTimes LayerMilliseconds { get; init; } = new();

    /// <summary>DeepSeek's H800.</summary>
    public static Cluster H800 { get; } = new();
}
