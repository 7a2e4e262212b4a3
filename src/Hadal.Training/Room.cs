namespace Hadal.Training;

internal static class Room;
