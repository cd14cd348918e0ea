import { describeTabs } from './tabs.ts'

describeTabs('chromium')
