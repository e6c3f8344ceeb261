// SPDX-License-Identifier: Apache-2.0
import java.nio.file.*;

public class Spin {
    public static void main(String[] args) throws Exception {
        if (args.length > 1) {
            while (!Files.exists(Path.of(args[1])))
                Thread.sleep(10);
            var f = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
            f.setAccessible(true);
            Files.createFile(Path.of(args[0]));
            while (Files.exists(Path.of(args[1])))
                Thread.sleep(10);
            ((sun.misc.Unsafe) f.get(null)).putInt(8L, 1);
        }
        Files.createFile(Path.of(args[0]));
        Thread.sleep(1000000);
    }
}
