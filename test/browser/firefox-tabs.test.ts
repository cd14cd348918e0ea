import { describeTabs } from './tabs.ts'

describeTabs('firefox')
