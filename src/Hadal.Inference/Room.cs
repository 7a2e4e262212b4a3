namespace Hadal.Inference;

internal static class Room;
